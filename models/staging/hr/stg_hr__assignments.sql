with source as (

    select * from {{ source("hr", "assignments") }}

),

latest as (

    {{ latest_of_snapshots("source", ["employee_id", "valid_from"]) }}

)

select
    employee_id,
    valid_from,
    department_code,
    job_role,
    store_id,
    manager_id,
    coalesce(fte, 1) as fte,
    valid_to,
    gone_on as closed_on,
    _file_id as file_id,
    _line_no as file_line_no
from latest
