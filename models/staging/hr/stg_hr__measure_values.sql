with latest as (

    {{ latest_version(
        source("hr", "measure_values"), ["measure_code", "level", "entity_id", "period_start"]
    ) }}

)

select
    measure_code,
    level,
    entity_id,
    period_start,
    value,
    n,
    floor,
    threshold,
    benchmark,
    baseline,
    _file_id as file_id,
    _line_no as file_line_no
from latest
