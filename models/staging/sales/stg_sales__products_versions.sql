with source as (

    select * from {{ source("sales", "products") }}

),

versions as (

    {{ versions_of_snapshots(
        "source",
        ["product_id"],
        [
            "product_name",
            "category",
            "unit_cost",
        ]
    ) }}

)

select
    product_id,
    product_name,
    category,
    unit_cost,
    listed_from,
    listed_to,
    file_id,
    file_line_no
from versions
