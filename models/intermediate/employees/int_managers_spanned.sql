-- One row per manager, person below (the manager included) and half-open range of days: everybody
-- whose results are the manager's. A person is below one direct manager on a day, so that every
-- sale is in a manager's result once, however many levels lie between.
with recursive assignments as (

    select * from {{ ref("int_assignments_bounded") }}

),

templates as (

    select * from {{ ref("scorecard_templates") }}
    where measured_at = 'team'

),

-- Only who is judged by a team needs one.
spans as (

    select
        assignments.employee_id as manager_id,
        assignments.employee_id,
        assignments.valid_from,
        assignments.valid_to,
        0 as depth
    from assignments
    where assignments.job_role in (select subject_code from templates)
    union all
    select
        spans.manager_id,
        assignments.employee_id,
        greatest(spans.valid_from, assignments.valid_from) as valid_from,
        least(spans.valid_to, assignments.valid_to) as valid_to,
        spans.depth + 1 as depth
    from spans
    inner join assignments
        on
            spans.employee_id = assignments.manager_id
            and spans.valid_from < assignments.valid_to
            and spans.valid_to > assignments.valid_from
    where
        -- Whoever reports to oneself, over some corners, ends the walk; no company is 20 levels
        -- deep.
        assignments.employee_id != spans.manager_id
        and spans.depth < 20

)

select
    manager_id,
    employee_id,
    valid_from,
    valid_to,
    min(depth) as depth
from spans
group by manager_id, employee_id, valid_from, valid_to
