with latest as (

    {{ latest_version(source("sales", "credit_splits"), ["order_id", "line_no", "employee_id"]) }}

)

select
    order_id,
    line_no,
    employee_id,
    share,
    _file_id as file_id,
    _line_no as file_line_no
from latest
where share > 0
