with source as (

    select * from {{ source("sales", "stores") }}

),

versions as (

    {{ versions_of_snapshots(
        "source",
        ["store_id"],
        [
            "store_name",
            "region",
            "format",
            "opened_on",
            "closed_on",
        ]
    ) }}

)

select
    store_id,
    store_name,
    region,
    format,
    opened_on,
    closed_on,
    listed_from,
    listed_to,
    file_id,
    file_line_no
from versions
