-- One row per plan part with its base: what is paid for this part at a factor of 1. Delivered
-- revenue shares follow the revenue made on the days of the part, the others the share of the
-- period worked.
with parts as (

    select * from {{ ref("int_plan_parts_assigned") }}

),

salaries as (

    select * from {{ ref("int_salaries_dated") }}

),

pay_parameters as (

    select * from {{ ref("int_measure_values_dated") }}
    where is_pay_parameter and level = 'employee'

),

daily_revenue as (

    select
        employee_id,
        date_day,
        sum(numerator) as revenue
    from {{ ref("int_kpis_counted_daily") }}
    where measure_code = 'revenue' and employee_id is not null
    group by employee_id, date_day

),

part_revenue as (

    select
        parts.employee_id,
        parts.plan_code,
        parts.period_start,
        parts.part_no,
        cast(sum(daily_revenue.revenue) as decimal(18, 4)) as revenue
    from parts
    inner join daily_revenue
        on
            parts.employee_id = daily_revenue.employee_id
            and parts.base_type = 'delivered_revenue_share'
            and parts.part_start <= daily_revenue.date_day
            and parts.part_end > daily_revenue.date_day
    group by parts.employee_id, parts.plan_code, parts.period_start, parts.part_no

),

part_extras as (

    select
        employee_id,
        plan_code,
        period_start,
        part_no,
        cast(sum(segment_amount) as decimal(28, 8)) as segment_extra,
        cast(sum(minimum_amount) as decimal(28, 8)) as minimum_extra
    from {{ ref("int_commission_lines_earned") }}
    group by employee_id, plan_code, period_start, part_no

),

gathered as (

    select
        parts.*,
        salaries.salary_amount,
        salaries.currency_code as salary_currency_code,
        pay_parameters.value as delivered_value,
        case
            when parts.base_type = 'delivered_revenue_share' then coalesce(part_revenue.revenue, 0)
        end as part_revenue,
        coalesce(part_extras.segment_extra, 0) as segment_extra,
        coalesce(part_extras.minimum_extra, 0) as minimum_extra,
        case when parts.period_type = 'quarter' then 3 else 1 end as period_months
    from parts
    left join salaries
        on
            parts.employee_id = salaries.employee_id
            and {{ in_force("salaries", "parts.period_start") }}
    left join pay_parameters
        on
            parts.employee_id = pay_parameters.entity_id
            and parts.base_measure_code = pay_parameters.measure_code
            and parts.period_type = pay_parameters.period_type
            and parts.period_start = pay_parameters.period_start
    left join part_revenue
        on
            parts.employee_id = part_revenue.employee_id
            and parts.plan_code = part_revenue.plan_code
            and parts.period_start = part_revenue.period_start
            and parts.part_no = part_revenue.part_no
    left join part_extras
        on
            parts.employee_id = part_extras.employee_id
            and parts.plan_code = part_extras.plan_code
            and parts.period_start = part_extras.period_start
            and parts.part_no = part_extras.part_no

),

bases as (

    select
        *,
        -- A base that cannot be found is an error of the pay data, not a bonus of nothing.
        case
            when base_type in ('salary_share', 'amount') and base_value is null then 'no_base_value'
            when base_type = 'salary_share' and salary_amount is null then 'no_salary'
            when
                base_type = 'salary_share'
                and coalesce(salary_currency_code, '') != currency_code
                then 'salary_in_other_currency'
            when
                base_type in ('delivered_amount', 'delivered_revenue_share')
                and delivered_value is null
                then 'no_pay_parameter'
        end as base_problem,
        cast(
            case base_type
                when 'salary_share' then salary_amount * base_value * period_months
                when 'amount' then base_value
                when 'delivered_amount' then delivered_value
                when 'delivered_revenue_share'
                    then part_revenue * delivered_value + segment_extra + minimum_extra
            end as decimal(28, 8)
        ) as base_amount
    from gathered

)

select
    *,
    case
        when base_problem is not null then cast(0 as decimal(28, 10))
        -- More taken back than sold earns nothing; it does not make the employee owe the company.
        when base_type = 'delivered_revenue_share'
            then cast(greatest(base_amount, 0) as decimal(28, 10))
        else cast(base_amount * period_share as decimal(28, 10))
    end as gross_amount
from bases
