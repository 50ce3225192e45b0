with source as (

    select * from {{ source("hr", "departments") }}

),

latest as (

    {{ latest_of_snapshots("source", ["department_code"]) }}

)

select
    department_code,
    department_name,
    parent_code,
    gone_on as closed_on,
    _file_id as file_id,
    _line_no as file_line_no
from latest
