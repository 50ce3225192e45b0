-- Differences of shares with the 95 % hybrid score interval (Newcombe 1998, method 10).
{% set shares = {
    "csat": ["csat_good", "csat_n"],
    "ces": ["ces_good", "ces_n"],
    "detractors": ["nps_bad", "nps_n"],
    "drop_off": ["drop_off_count", "settled_count"],
} %}

with counted as (

    select * from {{ ref("int_touchpoints_counted") }}

),

periods as (

    select
        period_type,
        period_start,
        lag(period_start) over (partition by period_type order by period_start) as previous_start
    from {{ ref("int_periods_listed") }}
    where period_type in ('month', 'quarter')

),

long_counts as (

    {% for measure, parts in shares.items() %}
    select
        period_type,
        period_start,
        level,
        entity_id,
        touchpoint_code,
        '{{ measure }}' as measure_code,
        {{ parts[0] }} as successes,
        {{ parts[1] }} as n
    from counted
    where {{ parts[1] }} > 0
    {{ "union all" if not loop.last }}
    {% endfor %}

),

-- The rest of a level are all its other entities: what has no entity is no group to compare with.
levels as (

    select
        *,
        sum(successes) over level_rows as level_successes,
        sum(n) over level_rows as level_n
    from long_counts
    window level_rows as (
        partition by period_type, period_start, level, touchpoint_code, measure_code
    )

),

pairs as (

    select
        now.period_type,
        now.period_start,
        now.level,
        now.entity_id,
        now.touchpoint_code,
        now.measure_code,
        'period_before' as compared_with,
        now.successes,
        now.n,
        before.successes as other_successes,
        before.n as other_n
    from long_counts as now
    inner join periods
        on
            now.period_type = periods.period_type
            and now.period_start = periods.period_start
    inner join long_counts as before
        on
            periods.period_type = before.period_type
            and periods.previous_start = before.period_start
            and now.level = before.level
            and now.entity_id = before.entity_id
            and now.touchpoint_code = before.touchpoint_code
            and now.measure_code = before.measure_code
    union all
    select
        period_type,
        period_start,
        level,
        entity_id,
        touchpoint_code,
        measure_code,
        'rest_of_level' as compared_with,
        successes,
        n,
        level_successes - successes as other_successes,
        level_n - n as other_n
    from levels
    where level_n > n

),

bounded as (

    select
        *,
        cast(successes as double) / n as ratio,
        cast(other_successes as double) / other_n as other_ratio,
        {{ wilson_bound("successes", "n", "low") }} as low,
        {{ wilson_bound("successes", "n", "high") }} as high,
        {{ wilson_bound("other_successes", "other_n", "low") }} as other_low,
        {{ wilson_bound("other_successes", "other_n", "high") }} as other_high
    from pairs

)

select
    period_type,
    period_start,
    level,
    entity_id,
    touchpoint_code,
    measure_code,
    compared_with,
    ratio,
    cast(n as bigint) as n,
    other_ratio,
    cast(other_n as bigint) as other_n,
    ratio - other_ratio as difference,
    ratio - other_ratio - sqrt(power(ratio - low, 2) + power(other_high - other_ratio, 2))
        as ci_low,
    ratio - other_ratio + sqrt(power(high - ratio, 2) + power(other_ratio - other_low, 2))
        as ci_high
from bounded
