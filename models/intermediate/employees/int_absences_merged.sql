-- One row per employee and half-open run of days of leave that do not count as worked. Leaves that
-- touch or overlap are one run: a day is missed once, however often it was reported.
with leaves as (

    select
        employee_id,
        starts_on,
        ends_on
    from {{ ref("stg_hr__leave") }} as leaves
    inner join {{ ref("leave_types") }} as leave_types
        on
            leaves.leave_type = leave_types.leave_type
            and {{ in_force("leave_types", "leaves.starts_on") }}
            and not leave_types.counts_as_worked
    where starts_on < ends_on

),

compared as (

    select
        *,
        case
            when
                starts_on <= max(ends_on) over (
                    partition by employee_id
                    order by starts_on, ends_on
                    rows between unbounded preceding and 1 preceding
                )
                then 0
            else 1
        end as starts_run
    from leaves

),

numbered as (

    select
        *,
        sum(starts_run) over (
            partition by employee_id
            order by starts_on, ends_on
            rows between unbounded preceding and current row
        ) as run_no
    from compared

)

select
    employee_id,
    min(starts_on) as starts_on,
    max(ends_on) as ends_on
from numbered
group by employee_id, run_no
