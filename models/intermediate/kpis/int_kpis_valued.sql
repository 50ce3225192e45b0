-- One row per measure, level, entity and period: the exact value with its numbers, interval and
-- target, of the touched periods. The pay path reads the decimals; the bounds are statistics and
-- may be doubles.
{{ config(
    materialized="patched",
    patched_by="int_kpi_periods_touched",
    partition=["period_type", "period_start"],
) }}

with touched as (

    select * from {{ ref("int_kpi_periods_touched") }}

),

summed as (

    select * from {{ ref("int_kpis_summed") }}

),

supplied as (

    select * from {{ ref("int_kpis_supplied") }}

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
        summed.measure_code,
        summed.level,
        summed.entity_id,
        summed.period_type,
        summed.period_start,
        summed.numerator,
        summed.denominator,
        summed.n,
        summed.favourable_count,
        summed.unfavourable_count,
        summed.score_sum,
        summed.excluded_count,
        summed.uncredited_count,
        summed.screened_count,
        summed.screened_numerator,
        summed.weight_sum,
        summed.weight_square_sum,
        summed.weighted_numerator,
        cast(null as decimal(38, 12)) as supplied_value,
        cast(null as double) as supplied_ci_low,
        cast(null as double) as supplied_ci_high,
        cast(null as decimal(28, 14)) as delivered_value,
        cast(null as decimal(18, 4)) as delivered_floor,
        cast(null as decimal(18, 4)) as delivered_threshold,
        cast(null as decimal(18, 4)) as delivered_benchmark,
        cast(null as decimal(18, 4)) as baseline,
        'computed' as origin
    from summed
    inner join touched
        on
            summed.period_type = touched.period_type
            and summed.period_start = touched.period_start
    union all
    select
        supplied.measure_code,
        supplied.level,
        supplied.entity_id,
        supplied.period_type,
        supplied.period_start,
        supplied.numerator,
        supplied.denominator,
        supplied.n,
        supplied.favourable_count,
        supplied.unfavourable_count,
        supplied.score_sum,
        supplied.excluded_count,
        cast(null as bigint) as uncredited_count,
        cast(null as bigint) as screened_count,
        cast(null as decimal(28, 4)) as screened_numerator,
        cast(null as decimal(38, 12)) as weight_sum,
        cast(null as decimal(38, 12)) as weight_square_sum,
        cast(null as decimal(38, 12)) as weighted_numerator,
        supplied.value as supplied_value,
        supplied.ci_low as supplied_ci_low,
        supplied.ci_high as supplied_ci_high,
        supplied.delivered_value,
        supplied.delivered_floor,
        supplied.delivered_threshold,
        supplied.delivered_benchmark,
        supplied.baseline,
        supplied.origin
    from supplied
    inner join touched
        on
            supplied.period_type = touched.period_type
            and supplied.period_start = touched.period_start

),

delivered as (

    select
        measure_code,
        level,
        entity_id,
        period_type,
        period_start
    from supplied
    where origin = 'delivered'

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
    left join delivered
        on
            results.measure_code = delivered.measure_code
            and results.level = delivered.level
            and results.entity_id = delivered.entity_id
            and results.period_type = delivered.period_type
            and results.period_start = delivered.period_start
    where results.origin = 'delivered' or delivered.measure_code is null

),

targeted as (

    select
        defined.*,
        -- What came with the value was set for this very entity and period.
        case
            when defined.delivered_floor is not null then defined.delivered_floor
            when own_targets.entity_id is null then shared_targets.floor
            else own_targets.floor
        end as floor,
        case
            when defined.delivered_threshold is not null then defined.delivered_threshold
            when own_targets.entity_id is null then shared_targets.threshold
            else own_targets.threshold
        end as threshold,
        case
            when defined.delivered_benchmark is not null then defined.delivered_benchmark
            when own_targets.entity_id is null then shared_targets.target
            else own_targets.target
        end as target,
        case
            when own_targets.entity_id is null then shared_targets.stretch
            else own_targets.stretch
        end as stretch
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
            shared_targets.entity_id = '*'
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
        when origin = 'delivered' then cast(delivered_value as decimal(38, 12))
        when supplied_value is not null then supplied_value
        when unit in ('amount', 'count', 'score')
            then cast(numerator as decimal(38, 12))
        when unit = 'points'
            then
                cast({{ exact_divide("numerator", "denominator", 10) }} * 100 as decimal(38, 12))
        else {{ exact_divide("numerator", "denominator", 10) }}
    end as value,
    cast(numerator as decimal(28, 4)) as numerator,
    cast(denominator as decimal(28, 4)) as denominator,
    -- What value is a multiple of, so that attainment can be taken from whole numbers.
    case when origin = 'computed' and unit = 'points' then 100 else 1 end as value_scale,
    delivered_value,
    baseline,
    n,
    favourable_count,
    unfavourable_count,
    excluded_count,
    uncredited_count,
    cast(score_sum / nullif(n, 0) as double) as mean_score,
    case
        when supplied_value is not null then supplied_ci_low
        when unit = 'ratio' then {{ wilson_bound("numerator", "denominator", "low") }}
        when unit = 'points'
            then {{ nps_bound("favourable_count", "unfavourable_count", "n", "low") }}
    end as ci_low,
    case
        when supplied_value is not null then supplied_ci_high
        when unit = 'ratio' then {{ wilson_bound("numerator", "denominator", "high") }}
        when unit = 'points'
            then {{ nps_bound("favourable_count", "unfavourable_count", "n", "high") }}
    end as ci_high,
    -- What the answers weigh, and what those that a screen took out would have changed.
    cast(weighted_numerator as double) / nullif(cast(weight_sum as double), 0)
    * case when unit = 'points' then 100 else 1 end as weighted_value,
    power(cast(weight_sum as double), 2) / nullif(cast(weight_square_sum as double), 0)
        as effective_n,
    n * cast(weight_square_sum as double) / nullif(power(cast(weight_sum as double), 2), 0)
        as design_effect,
    screened_count,
    case
        when screened_count is null then null
        else
            cast(numerator + screened_numerator as double)
            / nullif(cast(denominator + screened_count as double), 0)
            * case when unit = 'points' then 100 else 1 end
    end as value_with_screened,
    n >= minimum_n and numerator is not null as is_reportable,
    n >= minimum_n_shown as is_shown,
    floor,
    threshold,
    target,
    stretch,
    definition_version
from targeted
