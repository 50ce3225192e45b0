-- One row per outcome, kind of unit, period and distinct way: how often it was gone, how often it
-- converted, and what the conversions were worth. `total` is the whole history.
-- Units are parted by a sign that is in no code, so that none is cut.
with paths as (

    select
        unit_kind,
        path_id,
        outcome_code,
        quarter_start,
        is_converted,
        amount,
        {{ join_in_order("unit_code", "␟", ["position"]) }} as path
    from {{ ref("int_conversion_touches_listed") }}
    group by unit_kind, path_id, outcome_code, quarter_start, is_converted, amount

),

by_quarter as (

    select
        outcome_code,
        unit_kind,
        quarter_start,
        path,
        count(*) as paths,
        count(*) filter (where is_converted) as conversions,
        sum(amount) as amount
    from paths
    group by outcome_code, unit_kind, quarter_start, path

)

select
    outcome_code,
    unit_kind,
    'quarter' as period_type,
    quarter_start as period_start,
    path,
    cast(paths as bigint) as paths,
    cast(conversions as bigint) as conversions,
    cast(amount as decimal(28, 4)) as amount
from by_quarter
union all
select
    outcome_code,
    unit_kind,
    'total' as period_type,
    min(min(quarter_start)) over () as period_start,
    path,
    cast(sum(paths) as bigint) as paths,
    cast(sum(conversions) as bigint) as conversions,
    cast(sum(amount) as decimal(28, 4)) as amount
from by_quarter
group by outcome_code, unit_kind, path
