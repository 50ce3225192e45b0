-- A release of the day takes the touched periods from here and leaves the others as they are.
{{ config(
    meta={
        "patched_by": "int_kpi_periods_touched", "partition": ["period_type", "period_start"],
    },
) }}

with results as (

    select * from {{ ref("int_kpis_valued") }}

),

shrunken as (

    select * from {{ ref("int_kpis_shrunken") }}

)

select
    results.measure_code,
    results.level,
    results.entity_id,
    results.period_type,
    results.period_start,
    results.period_end,
    results.is_complete,
    case when results.is_shown then results.value end as value,
    results.numerator,
    results.denominator,
    results.n,
    case when results.is_shown then results.effective_n end as effective_n,
    results.favourable_count,
    results.unfavourable_count,
    results.excluded_count,
    results.uncredited_count,
    results.screened_count,
    case when results.is_shown then results.mean_score end as mean_score,
    case when results.is_shown then results.ci_low end as ci_low,
    case when results.is_shown then results.ci_high end as ci_high,
    case when results.is_shown then results.weighted_value end as weighted_value,
    case when results.is_shown then results.design_effect end as design_effect,
    case when results.is_shown then results.value_with_screened end as value_with_screened,
    shrunken.peer_group,
    shrunken.peer_count,
    shrunken.peer_mean,
    shrunken.reliability,
    shrunken.answers_needed,
    shrunken.shrunken_value,
    shrunken.credible_low,
    shrunken.credible_high,
    shrunken.top_quarter_probability,
    shrunken.bottom_quarter_probability,
    results.is_reportable,
    results.threshold,
    results.target,
    results.stretch,
    results.origin,
    results.definition_version
from results
left join shrunken
    on
        results.measure_code = shrunken.measure_code
        and results.level = shrunken.level
        and results.entity_id = shrunken.entity_id
        and results.period_type = shrunken.period_type
        and results.period_start = shrunken.period_start
