-- One row per plan part and modifier that it is eligible for: the population of every modifier,
-- with the one that is applied. At most one is, the most personal: stacked multipliers nobody can
-- explain.
with parts as (

    select * from {{ ref("int_plan_parts_assigned") }}

),

modifiers as (

    select * from {{ ref("plan_modifiers") }}

),

employees as (

    select
        employee_id,
        grade
    from {{ ref("stg_hr__employees") }}

),

eligible as (

    select
        parts.employee_id,
        parts.plan_code,
        parts.period_type,
        parts.period_start,
        parts.part_no,
        modifiers.modifier_code,
        modifiers.applies_to,
        modifiers.applies_to_code,
        modifiers.multiplier,
        case modifiers.applies_to
            when 'employee' then 1
            when 'grade' then 2
            when 'department' then 3
            when 'store' then 4
            when 'region' then 5
        end as distance
    from parts
    left join employees
        on parts.employee_id = employees.employee_id
    inner join modifiers
        on
            parts.plan_code = modifiers.plan_code
            and {{ in_force("modifiers", "parts.period_start") }}
            and modifiers.applies_to_code = case modifiers.applies_to
                when 'employee' then parts.employee_id
                when 'grade' then employees.grade
                when 'department' then parts.department_code
                when 'store' then parts.store_id
                when 'region' then parts.region
            end

)

select
    *,
    row_number() over (
        partition by employee_id, plan_code, period_start, part_no
        order by distance asc, modifier_code asc
    ) = 1 as is_applied
from eligible
