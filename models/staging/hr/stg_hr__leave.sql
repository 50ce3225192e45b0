with source as (

    select * from {{ source("hr", "leave") }}

),

latest as (

    {{ latest_version("source", ["leave_id"]) }}

)

select
    leave_id,
    employee_id,
    starts_on,
    ends_on,
    leave_type,
    _file_id as file_id,
    _line_no as file_line_no
from latest
