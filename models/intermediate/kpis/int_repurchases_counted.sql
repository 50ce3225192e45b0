-- One row per level, entity and period: customers with an order in the period, and those of them
-- who ordered again, on another day and anywhere in the company, within the window after their
-- first order of the period at that entity. Distinct customers do not add up over entities, so this
-- is counted per level and not summed from daily counts.
{% set levels = {
    "company": "'company'",
    "region": "region",
    "store": "store_id",
    "department": "department_code",
    "employee": "employee_id",
    "segment": "segment",
    "acquisition_channel": "acquisition_channel",
} %}

with order_days as (

    select * from {{ ref("int_customer_days_ordered") }}

),

periods as (

    select * from {{ ref("int_periods_listed") }}
    where period_type in ('month', 'quarter')

),

night as (

    select as_of from {{ source("control", "night") }}

),

order_days_by_level as (

    {% for level, entity in levels.items() %}
    select
        '{{ level }}' as level,
        {{ entity }} as entity_id,
        customer_id,
        ordered_on,
        next_ordered_on
    from order_days
    where {{ entity }} is not null
    {{ "union all" if not loop.last }}
    {% endfor %}

),

first_days as (

    select
        order_days_by_level.level,
        order_days_by_level.entity_id,
        order_days_by_level.customer_id,
        periods.period_type,
        periods.period_start,
        periods.period_end,
        min(order_days_by_level.ordered_on) as ordered_on,
        -- The next order day grows with the order day, so the least belongs to the first.
        min(order_days_by_level.next_ordered_on) as next_ordered_on
    from order_days_by_level
    inner join periods
        on
            order_days_by_level.ordered_on >= periods.period_start
            and order_days_by_level.ordered_on < periods.period_end
    group by
        order_days_by_level.level,
        order_days_by_level.entity_id,
        order_days_by_level.customer_id,
        periods.period_type,
        periods.period_start,
        periods.period_end

),

counted as (

    select
        level,
        entity_id,
        period_type,
        period_start,
        period_end,
        count(*) as customer_count,
        count(*) filter (
            where
            next_ordered_on
            <= {{ add_days("ordered_on", var("repurchase_window_days")) }}
        ) as repurchaser_count
    from first_days
    group by level, entity_id, period_type, period_start, period_end

)

-- Until the window of the last customer has passed the answer is not known: null, not a low number.
select
    'repurchase_rate' as measure_code,
    counted.level,
    counted.entity_id,
    counted.period_type,
    counted.period_start,
    case when known.is_known then cast(counted.repurchaser_count as decimal(28, 4)) end
        as numerator,
    cast(counted.customer_count as decimal(28, 4)) as denominator,
    counted.customer_count as n,
    case when known.is_known then counted.repurchaser_count end as favourable_count,
    cast(null as bigint) as unfavourable_count,
    cast(null as decimal(38, 12)) as score_sum,
    cast(0 as bigint) as excluded_count
from counted
inner join (
    select distinct
        ends.period_end,
        {{ add_days("ends.period_end", var("repurchase_window_days")) }}
        <= {{ add_days("night.as_of", 1) }} as is_known
    from counted as ends
    cross join night
) as known
    on counted.period_end = known.period_end
