-- A share lies within its interval. That of a difference of shares need not hold the difference
-- where all answers are alike.
{{ config(meta={"dagster": {"ref": {"name": "int_kpis_estimated"}}}) }}

with results as (

    select * from {{ ref("int_kpis_estimated") }}
    where ci_low is not null

),

measures as (

    select * from {{ ref("measures") }}

)

select
    results.measure_code,
    results.level,
    results.entity_id,
    results.period_type,
    results.period_start,
    results.value,
    results.ci_low,
    results.ci_high
from results
inner join measures
    on
        results.measure_code = measures.measure_code
        and {{ in_force("measures", "results.period_start") }}
where
    measures.unit != 'points'
    and (
        cast(results.value as double) < results.ci_low - 1e-9
        or cast(results.value as double) > results.ci_high + 1e-9
    )
