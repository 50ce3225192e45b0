with latest as (

    {{ latest_version(
        source("hr", "targets"), ["measure_code", "level", "entity_id", "period_start"]
    ) }}

)

select
    measure_code,
    level,
    entity_id,
    period_start,
    target,
    threshold,
    stretch,
    _file_id as file_id,
    _line_no as file_line_no
from latest
