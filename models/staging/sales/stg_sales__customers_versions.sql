with source as (

    select * from {{ source("sales", "customers") }}

),

versions as (

    {{ versions_of_snapshots(
        "source",
        ["customer_id"],
        [
            "registered_at",
            "region",
            "city",
            "segment",
            "acquisition_channel",
            "contact",
            "survey_consent",
        ]
    ) }}

)

select
    customer_id,
    registered_at,
    region,
    city,
    segment,
    acquisition_channel,
    contact,
    survey_consent,
    listed_from,
    listed_to,
    file_id,
    file_line_no
from versions
