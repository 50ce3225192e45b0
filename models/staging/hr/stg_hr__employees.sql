with source as (

    select * from {{ source("hr", "employees") }}

),

latest as (

    {{ latest_of_snapshots("source", ["employee_id"]) }}

)

select
    employee_id,
    full_name,
    hired_on,
    terminated_on,
    email,
    salary_amount,
    currency_code,
    grade,
    gone_on as closed_on,
    _file_id as file_id,
    _line_no as file_line_no
from latest
