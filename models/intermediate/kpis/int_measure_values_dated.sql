-- One row per delivered value of a measure computed elsewhere, with its period. Pay parameters
-- (amounts and rates per person) are marked, so that they never reach a mart that BI reads.
{{ config(materialized="view") }}

with delivered as (

    select * from {{ ref("stg_hr__measure_values") }}

),

measures as (

    select * from {{ ref("measures") }}

),

periods as (

    select * from {{ ref("int_periods_listed") }}

)

select
    delivered.measure_code,
    delivered.level,
    delivered.entity_id,
    periods.period_type,
    periods.period_start,
    delivered.value,
    delivered.n,
    delivered.floor,
    delivered.threshold,
    delivered.benchmark,
    delivered.baseline,
    measures.is_pay_parameter
from delivered
inner join measures
    on
        delivered.measure_code = measures.measure_code
        and {{ in_force("measures", "delivered.period_start") }}
inner join periods
    on
        measures.reported_period_type = periods.period_type
        and delivered.period_start = periods.period_start
