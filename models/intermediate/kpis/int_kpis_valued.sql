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

    {{ rows_of_touched_periods(ref("int_kpis_summed")) }}

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

-- What governs a measure in a touched period.
definitions as (

    select
        measures.measure_code,
        periods.period_type,
        periods.period_start,
        periods.period_end,
        periods.is_complete,
        measures.unit,
        measures.direction,
        measures.minimum_n,
        measures.minimum_n_shown,
        measures.definition_version
    from periods
    inner join touched
        on
            periods.period_type = touched.period_type
            and periods.period_start = touched.period_start
    inner join measures
        on {{ in_force("measures", "periods.period_start") }}

),

-- Shares of answers (a touchpoint with two owners) carry more decimals than sums of days do.
results as (

    select
        measure_code,
        level,
        entity_id,
        period_type,
        period_start,
        numerator,
        denominator,
        cast(null as decimal(28, 10)) as shared_numerator,
        cast(null as decimal(28, 10)) as shared_denominator,
        cast(numerator as double) as successes,
        cast(denominator as double) as trials,
        n,
        favourable_count,
        unfavourable_count,
        cast(score_sum as double) as score_sum,
        excluded_count,
        uncredited_count,
        screened_count,
        screened_numerator,
        cast(weight_sum as double) as weight_sum,
        cast(weight_square_sum as double) as weight_square_sum,
        cast(weighted_numerator as double) as weighted_numerator,
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
    union all
    select
        measure_code,
        level,
        entity_id,
        period_type,
        period_start,
        cast(numerator as decimal(28, 4)) as numerator,
        cast(denominator as decimal(28, 4)) as denominator,
        cast(numerator as decimal(28, 10)) as shared_numerator,
        cast(denominator as decimal(28, 10)) as shared_denominator,
        cast(numerator as double) as successes,
        cast(denominator as double) as trials,
        n,
        favourable_count,
        unfavourable_count,
        cast(score_sum as double) as score_sum,
        excluded_count,
        cast(null as bigint) as uncredited_count,
        cast(null as bigint) as screened_count,
        cast(null as bigint) as screened_numerator,
        cast(null as double) as weight_sum,
        cast(null as double) as weight_square_sum,
        cast(null as double) as weighted_numerator,
        value as supplied_value,
        ci_low as supplied_ci_low,
        ci_high as supplied_ci_high,
        delivered_value,
        delivered_floor,
        delivered_threshold,
        delivered_benchmark,
        baseline,
        origin
    from supplied

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
        definitions.period_end,
        definitions.is_complete,
        definitions.unit,
        definitions.direction,
        definitions.minimum_n,
        definitions.minimum_n_shown,
        definitions.definition_version,
        results.favourable_count
        - case when definitions.unit = 'points' then results.unfavourable_count else 0 end
            as answer_balance
    from results
    inner join definitions
        on
            results.measure_code = definitions.measure_code
            and results.period_type = definitions.period_type
            and results.period_start = definitions.period_start
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

),

-- A share of answers is a quotient of two counts, which is taken faster than that of two decimals.
divided as (

    select
        *,
        case
            when unit in ('amount', 'count', 'score') or origin = 'delivered' then null
            when shared_numerator is not null
                then {{ exact_divide("shared_numerator", "shared_denominator", 10) }}
            when numerator = answer_balance and denominator = n
                then {{ exact_divide_counts("answer_balance", "n") }}
            else {{ exact_divide("numerator", "denominator") }}
        end as quotient
    from targeted

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
        when unit = 'points' then cast(quotient * 100 as decimal(38, 12))
        else quotient
    end as value,
    numerator,
    denominator,
    -- What value is a multiple of, so that attainment can be taken from whole numbers.
    case when origin = 'computed' and unit = 'points' then 100 else 1 end as value_scale,
    delivered_value,
    baseline,
    n,
    favourable_count,
    unfavourable_count,
    excluded_count,
    uncredited_count,
    score_sum / nullif(n, 0) as mean_score,
    case
        when supplied_value is not null then supplied_ci_low
        when unit = 'ratio' then {{ wilson_bound("successes", "trials", "low") }}
        when unit = 'points'
            then {{ nps_bound("favourable_count", "unfavourable_count", "n", "low") }}
    end as ci_low,
    case
        when supplied_value is not null then supplied_ci_high
        when unit = 'ratio' then {{ wilson_bound("successes", "trials", "high") }}
        when unit = 'points'
            then {{ nps_bound("favourable_count", "unfavourable_count", "n", "high") }}
    end as ci_high,
    -- What the answers weigh, and what those that a screen took out would have changed.
    weighted_numerator / nullif(weight_sum, 0)
    * case when unit = 'points' then 100 else 1 end as weighted_value,
    power(weight_sum, 2) / nullif(weight_square_sum, 0) as effective_n,
    n * weight_square_sum / nullif(power(weight_sum, 2), 0) as design_effect,
    screened_count,
    case
        when screened_count is null then null
        else
            (successes + screened_numerator) / nullif(trials + screened_count, 0)
            * case when unit = 'points' then 100 else 1 end
    end as value_with_screened,
    n >= minimum_n and numerator is not null as is_reportable,
    n >= minimum_n_shown as is_shown,
    floor,
    threshold,
    target,
    stretch,
    definition_version
from divided
