with source as (

    select * from {{ source("hr", "departments") }}

),

versions as (

    {{ versions_of_snapshots(
        "source",
        ["department_code"],
        [
            "department_name",
            "parent_code",
        ]
    ) }}

)

select
    department_code,
    department_name,
    parent_code,
    listed_from,
    listed_to,
    file_id,
    file_line_no
from versions
