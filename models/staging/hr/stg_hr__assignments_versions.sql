with source as (

    select * from {{ source("hr", "assignments") }}

),

versions as (

    {{ versions_of_snapshots(
        "source",
        ["employee_id", "valid_from"],
        [
            "department_code",
            "job_role",
            "store_id",
            "manager_id",
            "fte",
            "valid_to",
        ]
    ) }}

)

select
    employee_id,
    valid_from,
    department_code,
    job_role,
    store_id,
    manager_id,
    fte,
    valid_to,
    listed_from,
    listed_to,
    file_id,
    file_line_no
from versions
