with latest as (

    {{ latest_version(source("service", "case_outcomes"), ["case_id"]) }}

)

select
    case_id,
    handled_at,
    outcome_code,
    handled_by,
    _file_id as file_id,
    _line_no as file_line_no
from latest
