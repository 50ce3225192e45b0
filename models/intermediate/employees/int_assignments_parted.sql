-- One row per employee, period and part: a run of days in one role, store and department. Adjoining
-- assignments that agree in all of these are one part, so that splitting an assignment in HR's
-- system changes nobody's pay.
with assignments as (

    select * from {{ ref("int_assignments_bounded") }}

),

periods as (

    select * from {{ ref("int_periods_judged") }}

),

stores as (

    select
        store_id,
        region
    from {{ ref("stg_sales__stores") }}

),

clipped as (

    select
        assignments.employee_id,
        assignments.department_code,
        assignments.job_role,
        assignments.store_id,
        assignments.fte,
        periods.period_type,
        periods.period_start,
        periods.period_end,
        periods.period_days,
        periods.is_complete,
        greatest(assignments.valid_from, periods.period_start) as part_start,
        least(assignments.valid_to, periods.period_end) as part_end
    from assignments
    inner join periods
        on
            assignments.valid_from < periods.period_end
            and assignments.valid_to > periods.period_start

),

compared as (

    select
        *,
        case
            when
                part_start = lag(part_end) over employee_period
                and department_code = lag(department_code) over employee_period
                and job_role = lag(job_role) over employee_period
                and coalesce(store_id, '') = coalesce(lag(store_id) over employee_period, '')
                and fte = lag(fte) over employee_period
                then 0
            else 1
        end as starts_part
    from clipped
    window employee_period as (
        partition by employee_id, period_type, period_start order by part_start
    )

),

numbered as (

    select
        *,
        sum(starts_part) over (
            partition by employee_id, period_type, period_start
            order by part_start
            rows between unbounded preceding and current row
        ) as part_no
    from compared

)

select
    numbered.employee_id,
    numbered.department_code,
    numbered.job_role,
    numbered.store_id,
    stores.region,
    numbered.fte,
    numbered.period_type,
    numbered.period_start,
    numbered.period_end,
    numbered.period_days,
    numbered.is_complete,
    cast(numbered.part_no as integer) as part_no,
    min(numbered.part_start) as part_start,
    max(numbered.part_end) as part_end
from numbered
left join stores
    on numbered.store_id = stores.store_id
group by
    numbered.employee_id,
    numbered.department_code,
    numbered.job_role,
    numbered.store_id,
    stores.region,
    numbered.fte,
    numbered.period_type,
    numbered.period_start,
    numbered.period_end,
    numbered.period_days,
    numbered.is_complete,
    numbered.part_no
