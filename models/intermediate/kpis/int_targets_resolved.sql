-- One row per measure, level, entity (or *), period: the target that goes first. Delivered for the
-- very entity and period before policy for the entity, before policy for all.
with delivered as (

    select * from {{ ref("stg_hr__targets") }}

),

policy as (

    select * from {{ ref("measure_targets") }}

),

measures as (

    select * from {{ ref("measures") }}

),

periods as (

    select * from {{ ref("int_periods_listed") }}

),

candidates as (

    select
        delivered.measure_code,
        delivered.level,
        delivered.entity_id,
        periods.period_type,
        periods.period_start,
        cast(null as decimal(18, 4)) as floor,
        delivered.threshold,
        delivered.target,
        delivered.stretch,
        'delivered' as origin,
        1 as priority
    from delivered
    inner join measures
        on
            delivered.measure_code = measures.measure_code
            and {{ in_force("measures", "delivered.period_start") }}
    inner join periods
        on
            measures.reported_period_type = periods.period_type
            and delivered.period_start = periods.period_start
    union all
    select
        policy.measure_code,
        policy.level,
        policy.entity_id,
        periods.period_type,
        periods.period_start,
        policy.floor,
        policy.threshold,
        policy.target,
        policy.stretch,
        'policy' as origin,
        2 as priority
    from policy
    inner join periods
        on
            policy.period_type = periods.period_type
            and {{ in_force("policy", "periods.period_start") }}

)

select
    measure_code,
    level,
    entity_id,
    period_type,
    period_start,
    floor,
    threshold,
    target,
    stretch,
    origin
from candidates
qualify
    row_number() over (
        partition by measure_code, level, entity_id, period_type, period_start
        order by priority
    ) = 1
