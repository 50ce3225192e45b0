-- One row per measure, level, entity and period: the exact value with its numbers, interval and
-- target. The pay path reads the decimals; the bounds are statistics and may be doubles.
with summed as (

    select * from {{ ref("int_kpis_summed") }}

),

repurchases as (

    select * from {{ ref("int_repurchases_counted") }}

),

loyalty as (

    select * from {{ ref("int_loyalty_counted") }}
    union all
    select * from {{ ref("int_customer_values_counted") }}

),

delivered as (

    select * from {{ ref("int_measure_values_dated") }}
    where not is_pay_parameter

),

measures as (

    select * from {{ ref("measures") }}

),

periods as (

    select * from {{ ref("int_periods_listed") }}

),

targets as (

    select * from {{ ref("int_targets_resolved") }}

),

results as (

    select
        *,
        'computed' as origin
    from summed
    union all
    select
        *,
        'computed' as origin
    from repurchases
    union all
    select
        *,
        'computed' as origin
    from loyalty
    union all
    select
        measure_code,
        level,
        entity_id,
        period_type,
        period_start,
        cast(value as decimal(28, 4)) as numerator,
        cast(null as decimal(28, 4)) as denominator,
        n,
        cast(null as bigint) as favourable_count,
        cast(null as bigint) as unfavourable_count,
        cast(null as decimal(38, 12)) as score_sum,
        cast(0 as bigint) as excluded_count,
        'delivered' as origin
    from delivered

),

-- A measure that the company does not define, or not yet, is not reported. One that is both
-- computed here and delivered keeps the delivered value: it is the one somebody answers for.
defined as (

    select
        results.*,
        periods.period_end,
        periods.is_complete,
        measures.unit,
        measures.direction,
        measures.minimum_n,
        measures.minimum_n_shown,
        measures.definition_version
    from results
    inner join periods
        on
            results.period_type = periods.period_type
            and results.period_start = periods.period_start
    inner join measures
        on
            results.measure_code = measures.measure_code
            and {{ in_force("measures", "results.period_start") }}
    qualify
        row_number() over (
            partition by
                results.measure_code,
                results.level,
                results.entity_id,
                results.period_type,
                results.period_start
            order by results.origin desc
        ) = 1

),

targeted as (

    select
        defined.*,
        coalesce(own_targets.floor, shared_targets.floor) as floor,
        coalesce(own_targets.threshold, shared_targets.threshold) as threshold,
        coalesce(own_targets.target, shared_targets.target) as target,
        coalesce(own_targets.stretch, shared_targets.stretch) as stretch
    from defined
    left join targets as own_targets
        on
            defined.measure_code = own_targets.measure_code
            and defined.level = own_targets.level
            and defined.entity_id = own_targets.entity_id
            and defined.period_type = own_targets.period_type
            and defined.period_start = own_targets.period_start
    left join targets as shared_targets
        on
            own_targets.entity_id is null
            and shared_targets.entity_id = '*'
            and defined.measure_code = shared_targets.measure_code
            and defined.level = shared_targets.level
            and defined.period_type = shared_targets.period_type
            and defined.period_start = shared_targets.period_start

)

select
    measure_code,
    level,
    entity_id,
    period_type,
    period_start,
    period_end,
    is_complete,
    unit,
    direction,
    origin,
    case
        when origin = 'delivered' or unit in ('amount', 'count')
            then cast(numerator as decimal(38, 12))
        when unit = 'points'
            then cast({{ exact_divide("numerator", "denominator") }} * 100 as decimal(38, 12))
        else {{ exact_divide("numerator", "denominator") }}
    end as value,
    numerator,
    denominator,
    -- What value is a multiple of, so that attainment can be taken from whole numbers.
    case when origin = 'computed' and unit = 'points' then 100 else 1 end as value_scale,
    n,
    favourable_count,
    unfavourable_count,
    excluded_count,
    cast(score_sum / nullif(n, 0) as double) as mean_score,
    case
        when origin = 'delivered' then null
        when unit = 'ratio' then {{ wilson_bound("numerator", "denominator", "low") }}
        when unit = 'points'
            then {{ nps_bound("favourable_count", "unfavourable_count", "n", "low") }}
    end as ci_low,
    case
        when origin = 'delivered' then null
        when unit = 'ratio' then {{ wilson_bound("numerator", "denominator", "high") }}
        when unit = 'points'
            then {{ nps_bound("favourable_count", "unfavourable_count", "n", "high") }}
    end as ci_high,
    n >= minimum_n and numerator is not null as is_reportable,
    n >= minimum_n_shown as is_shown,
    floor,
    threshold,
    target,
    stretch,
    definition_version
from targeted
