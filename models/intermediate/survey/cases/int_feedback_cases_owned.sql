-- One row per case with its owner: who managed, at the time of the interaction, where it happened.
-- The department that owns most of the touchpoint answers for it; where that is the department of
-- the person rated, that person's manager does.
with cases as (

    select * from {{ ref("int_feedback_cases_opened") }}

),

owners as (

    select * from {{ ref("touchpoint_owners") }}

),

assignments as (

    select * from {{ ref("int_assignments_bounded") }}

),

owned as (

    select
        cases.*,
        coalesce(owners.department_code, cases.department_code) as owning_department_code
    from cases
    left join owners
        on
            cases.touchpoint_code = owners.touchpoint_code
            and {{ in_force("owners", "cases.interaction_on") }}
    qualify
        row_number() over (
            partition by cases.case_id order by owners.share desc, owners.department_code asc
        ) = 1

),

-- Only the places and days that are asked about: whoever most people there report to manages it.
-- Without a store the whole department is asked, without a department the whole store.
places as (

    select distinct
        interaction_on,
        store_id,
        owning_department_code
    from owned

),

reports as (

    select
        places.interaction_on,
        places.store_id,
        places.owning_department_code,
        assignments.manager_id,
        case
            when
                assignments.store_id = places.store_id
                and assignments.department_code = places.owning_department_code
                then 1
            when assignments.department_code = places.owning_department_code then 2
            else 3
        end as place_rank,
        count(*) as report_count
    from places
    inner join assignments
        on
            {{ in_force("assignments", "places.interaction_on") }}
            and assignments.manager_id is not null
            and (
                assignments.department_code = places.owning_department_code
                or assignments.store_id = places.store_id
            )
    group by
        places.interaction_on,
        places.store_id,
        places.owning_department_code,
        assignments.manager_id,
        place_rank

),

managers as (

    select
        *,
        case place_rank
            when 1 then 'manager_of_department_in_store'
            when 2 then 'manager_of_department'
            else 'manager_of_store'
        end as owner_basis
    from reports
    qualify
        row_number() over (
            partition by interaction_on, store_id, owning_department_code
            order by place_rank asc, report_count desc, manager_id asc
        ) = 1

),

found as (

    select
        owned.*,
        managers.manager_id as place_manager_id,
        managers.owner_basis as place_basis,
        owned.manager_id is not null
        and (owned.department_code = owned.owning_department_code or managers.manager_id is null)
            as is_by_employee
    from owned
    left join managers
        on
            owned.interaction_on = managers.interaction_on
            and owned.store_id is not distinct from managers.store_id
            and owned.owning_department_code is not distinct from managers.owning_department_code

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
    is_bottom_box,
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
    due_at,
    escalate_hours,
    fallback_owner,
    exclusion_reason,
    case
        when is_by_employee then manager_id
        else coalesce(place_manager_id, fallback_owner)
    end as owner_id,
    case
        when is_by_employee then 'manager_of_employee'
        else coalesce(place_basis, 'company')
    end as owner_basis
from found
