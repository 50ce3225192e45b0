with source as (

    select * from {{ source("service", "case_outcomes") }}

),

latest as (

    {{ latest_version("source", ["case_id"]) }}

)

select
    case_id,
    handled_at,
    outcome_code,
    handled_by,
    _file_id as file_id,
    _line_no as file_line_no
from latest
