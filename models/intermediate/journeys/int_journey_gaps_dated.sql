-- One row per range of days with one longest gap of a journey. The first rule also governs what
-- lies before it: an event without a rule would be in no journey.
select
    case
        when lag(valid_from) over (order by valid_from) is null then cast('0001-01-01' as date)
        else valid_from
    end as valid_from,
    coalesce(
        lead(valid_from) over (order by valid_from), cast('9999-12-31' as date)
    ) as valid_to,
    cast(value * 86400 as bigint) as gap_seconds
from {{ ref("journey_settings") }}
where setting_code = 'gap_days'
