-- One row per month and quarter whose customer value is measured: the day it is valued on (its last
-- day, or `as_of` while it runs) and the day before it began.
with periods as (

    select * from {{ ref("int_periods_listed") }}
    where period_type in ('month', 'quarter')

),

settings as (

    select * from {{ ref("value_settings") }}
    where segment = '*' and setting_code = 'clv_history_months'

),

night as (

    select as_of from {{ source("control", "night") }}

),

reach as (

    select
        night.as_of,
        {{ add_months("night.as_of", "-cast(settings.value as integer)") }} as valued_after
    from night
    inner join settings on {{ in_force("settings", "night.as_of") }}

)

select
    periods.period_type,
    periods.period_start,
    least({{ add_days("periods.period_end", -1) }}, reach.as_of) as valued_on,
    {{ add_days("periods.period_start", -1) }} as began_on
from periods
cross join reach
where least({{ add_days("periods.period_end", -1) }}, reach.as_of) > reach.valued_after
