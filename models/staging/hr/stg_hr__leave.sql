with latest as (

    {{ latest_version(source("hr", "leave"), ["leave_id"]) }}

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
