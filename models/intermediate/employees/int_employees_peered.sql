-- One row per employee and month or quarter: the job role held on most of its days (of two held
-- equally long the later). It is the group of peers a result is compared with.
with assignments as (

    select * from {{ ref("int_assignments_bounded") }}

),

periods as (

    select * from {{ ref("int_periods_listed") }}
    where period_type in ('month', 'quarter')

),

held as (

    select
        assignments.employee_id,
        assignments.job_role,
        periods.period_type,
        periods.period_start,
        sum({{ days_between(
            "greatest(assignments.valid_from, periods.period_start)",
            "least(assignments.valid_to, periods.period_end)",
        ) }}) as day_count,
        max(assignments.valid_from) as held_from
    from assignments
    inner join periods
        on
            assignments.valid_from < periods.period_end
            and assignments.valid_to > periods.period_start
    group by
        assignments.employee_id,
        assignments.job_role,
        periods.period_type,
        periods.period_start

)

select
    employee_id,
    period_type,
    period_start,
    job_role
from held
qualify
    row_number() over (
        partition by employee_id, period_type, period_start
        order by day_count desc, held_from desc, job_role asc
    ) = 1
