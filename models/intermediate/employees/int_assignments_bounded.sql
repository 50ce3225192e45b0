-- One row per employee and half-open range: who worked where, as what. Ranges of one employee never
-- overlap.
with assignments as (

    select * from {{ ref("stg_hr__assignments") }}

),

employees as (

    select
        employee_id,
        terminated_on
    from {{ ref("stg_hr__employees") }}

),

-- Whatever comes first ends an assignment: its own end, the next assignment, the end of employment,
-- or the first full list that no longer has it. Without this a sale would be credited twice or to
-- somebody who has left.
bounded as (

    select
        assignments.*,
        lead(assignments.valid_from) over (
            partition by assignments.employee_id order by assignments.valid_from
        ) as next_valid_from,
        employees.terminated_on
    from assignments
    left join employees
        on assignments.employee_id = employees.employee_id

),

ended as (

    select
        employee_id,
        department_code,
        job_role,
        store_id,
        manager_id,
        fte,
        valid_from,
        least(
            coalesce(valid_to, cast('9999-12-31' as date)),
            coalesce(next_valid_from, cast('9999-12-31' as date)),
            coalesce(terminated_on, cast('9999-12-31' as date)),
            coalesce(closed_on, cast('9999-12-31' as date))
        ) as valid_to
    from bounded

)

select *
from ended
where valid_from < valid_to
