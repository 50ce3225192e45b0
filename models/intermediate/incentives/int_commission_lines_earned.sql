-- One row per part of a commission plan and sale credited in it: the rate of the sale, what its
-- customer's segment adds to it, and what is missing to the least that one sale earns.
with parts as (

    select * from {{ ref("int_plan_parts_assigned") }}
    where base_type = 'delivered_revenue_share'

),

sales as (

    select * from {{ ref("int_sales_credited") }}
    where exclusion_reason is null and employee_id is not null

),

pay_parameters as (

    select * from {{ ref("int_measure_values_dated") }}
    where is_pay_parameter and level = 'employee'

),

customers as (

    select
        customer_id,
        segment
    from {{ ref("stg_sales__customers") }}

),

modifiers as (

    select * from {{ ref("plan_modifiers") }}
    where applies_to = 'customer_segment'

),

rated as (

    select
        parts.employee_id,
        parts.plan_code,
        parts.period_type,
        parts.period_start,
        parts.part_no,
        sales.order_id,
        sales.line_no,
        sales.date_day,
        sales.customer_id,
        sales.share,
        sales.credited_amount,
        pay_parameters.value as commission_rate,
        parts.minimum_per_sale
    from parts
    inner join sales
        on
            parts.employee_id = sales.employee_id
            and parts.part_start <= sales.date_day
            and parts.part_end > sales.date_day
    inner join pay_parameters
        on
            parts.employee_id = pay_parameters.entity_id
            and parts.base_measure_code = pay_parameters.measure_code
            and parts.period_type = pay_parameters.period_type
            and parts.period_start = pay_parameters.period_start

),

modified as (

    select
        rated.*,
        modifiers.modifier_code,
        coalesce(modifiers.multiplier, 1) as multiplier
    from rated
    left join customers
        on rated.customer_id = customers.customer_id
    left join modifiers
        on
            rated.plan_code = modifiers.plan_code
            and customers.segment = modifiers.applies_to_code
            and {{ in_force("modifiers", "rated.period_start") }}
    -- Two modifiers of one segment would sell one sale twice.
    qualify
        row_number() over (
            partition by
                rated.employee_id,
                rated.plan_code,
                rated.period_start,
                rated.part_no,
                rated.order_id,
                rated.line_no
            order by modifiers.modifier_code
        ) = 1

),

earned as (

    select
        *,
        cast(credited_amount * commission_rate as decimal(28, 8)) as rate_amount,
        cast(credited_amount * commission_rate * multiplier as decimal(28, 8)) as segment_total
    from modified

)

select
    *,
    cast(segment_total - rate_amount as decimal(28, 8)) as segment_amount,
    -- Whoever sold half of it is guaranteed half of the minimum.
    cast(
        case
            when minimum_per_sale is null or credited_amount <= 0 then 0
            else greatest(minimum_per_sale * share - segment_total, 0)
        end as decimal(28, 8)
    ) as minimum_amount
from earned
