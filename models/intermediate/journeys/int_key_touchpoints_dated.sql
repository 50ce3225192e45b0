-- One row per day from which an estimate of effects may be used: the quarters begun by `as_of`,
-- each from what was known before it, and the day after `as_of`. Past quarters keep their estimate,
-- so that a split of last year's losses does not move with every night.
select distinct
    periods.period_start as known_on,
    false as is_current
from {{ ref("int_periods_listed") }} as periods
where periods.period_type = 'quarter'
union all
select
    {{ add_days("as_of", 1) }} as known_on,
    true as is_current
from {{ source("control", "night") }}
