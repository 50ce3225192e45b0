-- One row per measure, level, entity and period: the exact value with its numbers and interval, and
-- what governs the measure there: unit, direction, least numbers of observations, target.
{{ config(materialized="view") }}

with results as (

    select * from {{ ref("int_kpis_estimated") }}

),

delivered as (

    select * from {{ ref("int_kpis_supplied") }}
    where origin = 'delivered'

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
    inner join measures
        on {{ in_force("measures", "periods.period_start") }}

)

select
    results.measure_code,
    results.level,
    results.entity_id,
    results.period_type,
    results.period_start,
    definitions.period_end,
    definitions.is_complete,
    definitions.unit,
    definitions.direction,
    case when results.is_delivered then 'delivered' else 'computed' end as origin,
    results.value,
    results.numerator,
    results.denominator,
    -- What value is a multiple of, so that attainment can be taken from whole numbers.
    case
        when definitions.unit = 'points' and not results.is_delivered then 100 else 1
    end as value_scale,
    delivered.delivered_value,
    delivered.baseline,
    results.n,
    results.favourable_count,
    results.unfavourable_count,
    results.excluded_count,
    results.uncredited_count,
    results.mean_score,
    results.ci_low,
    results.ci_high,
    results.weighted_value,
    results.effective_n,
    results.design_effect,
    results.screened_count,
    results.value_with_screened,
    results.n >= definitions.minimum_n and results.numerator is not null as is_reportable,
    results.n >= definitions.minimum_n_shown as is_shown,
    -- What came with the value was set for this very entity and period.
    case
        when delivered.delivered_floor is not null then delivered.delivered_floor
        when own_targets.entity_id is null then shared_targets.floor
        else own_targets.floor
    end as floor,
    case
        when delivered.delivered_threshold is not null then delivered.delivered_threshold
        when own_targets.entity_id is null then shared_targets.threshold
        else own_targets.threshold
    end as threshold,
    case
        when delivered.delivered_benchmark is not null then delivered.delivered_benchmark
        when own_targets.entity_id is null then shared_targets.target
        else own_targets.target
    end as target,
    case
        when own_targets.entity_id is null then shared_targets.stretch
        else own_targets.stretch
    end as stretch,
    definitions.definition_version
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
left join targets as own_targets
    on
        results.measure_code = own_targets.measure_code
        and results.level = own_targets.level
        and results.entity_id = own_targets.entity_id
        and results.period_type = own_targets.period_type
        and results.period_start = own_targets.period_start
left join targets as shared_targets
    on
        shared_targets.entity_id = '*'
        and results.measure_code = shared_targets.measure_code
        and results.level = shared_targets.level
        and results.period_type = shared_targets.period_type
        and results.period_start = shared_targets.period_start
