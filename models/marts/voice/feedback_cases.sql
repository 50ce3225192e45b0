-- Put together from many parts: a table, so that whoever reads cases need not do it again.
{{ config(materialized="table") }}

with cases as (

    select * from {{ ref("int_feedback_cases_owned") }}

),

outcomes as (

    select * from {{ ref("stg_service__case_outcomes") }}

),

employees as (

    select employee_id from {{ ref("stg_hr__employees") }}

),

assignments as (

    select * from {{ ref("int_assignments_bounded") }}

),

night as (

    select
        as_of,
        known_until
    from {{ source("control", "night") }}

),

-- Escalation goes by who reports to whom today, not at the time of the interaction.
reporting as (

    select
        assignments.employee_id,
        assignments.manager_id
    from assignments
    cross join night
    where {{ in_force("assignments", "night.as_of") }}

),

handled as (

    select
        cases.*,
        night.known_until,
        outcomes.outcome_code,
        outcomes.handled_at,
        employees.employee_id as handled_by,
        -- A customer who has raised the answer out of the bad box has closed the case.
        coalesce(outcomes.outcome_code is not null or not cases.is_bottom_box, false) as is_closed
    from cases
    cross join night
    left join outcomes
        on
            cases.case_id = outcomes.case_id
            and night.known_until >= outcomes.handled_at
    left join employees
        on outcomes.handled_by = employees.employee_id

),

judged as (

    select
        *,
        case
            when is_closed or due_at > known_until then 0
            else least(
                3,
                cast(
                    floor(
                        ({{ seconds_of("known_until") }} - {{ seconds_of("due_at") }})
                        / (escalate_hours * 3600)
                    ) as bigint
                )
            )
        end as escalation_level,
        not is_closed and due_at <= known_until as is_overdue
    from handled

),

escalated as (

    select
        judged.*,
        first.manager_id as first_manager_id,
        second.manager_id as second_manager_id,
        third.manager_id as third_manager_id
    from judged
    left join reporting as first
        on judged.owner_id = first.employee_id
    left join reporting as second
        on first.manager_id = second.employee_id
    left join reporting as third
        on second.manager_id = third.employee_id

)

select
    case_id,
    response_id,
    question_code,
    measure_code,
    survey_code,
    channel,
    touchpoint_code,
    score,
    first_score,
    severity,
    opened_at,
    opened_on,
    interaction_on,
    customer_id,
    store_id,
    region,
    department_code,
    owning_department_code,
    employee_id,
    owner_id,
    owner_basis,
    due_at,
    {{ local_day("due_at") }} as due_on,
    case
        when is_closed then 'closed'
        when escalation_level > 0 then 'escalated'
        when is_overdue then 'overdue'
        else 'open'
    end as state,
    cast(escalation_level as integer) as escalation_level,
    -- Where nobody is above, or the owner has left, the company's own desk takes it.
    case escalation_level
        when 1 then coalesce(first_manager_id, fallback_owner)
        when 2 then coalesce(second_manager_id, first_manager_id, fallback_owner)
        when 3 then coalesce(third_manager_id, second_manager_id, first_manager_id, fallback_owner)
    end as escalation_owner_id,
    case
        when is_closed then coalesce(outcome_code, 'answer_raised')
    end as outcome_code,
    handled_at as closed_at,
    handled_by,
    handled_at <= due_at as is_closed_in_time,
    exclusion_reason
from escalated
