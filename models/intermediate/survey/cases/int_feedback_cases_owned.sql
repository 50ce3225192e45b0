-- One row per case with its owner: who managed, at the time of the interaction, where it happened.
-- The department that owns most of the touchpoint answers for it; where that is the department of
-- the person rated, that person's manager does.
{{ config(materialized="view") }}

with cases as (

    select * from {{ ref("int_feedback_cases_opened") }}

),

owners as (

    select * from {{ ref("touchpoint_owners") }}

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

-- Where nobody of the department is in the store the whole department is asked, and where the
-- department has nobody the whole store.
place_managers as (

    {{ managers_at("owned", ["store_id", "owning_department_code"]) }}

),

department_managers as (

    {{ managers_at("owned", ["owning_department_code"]) }}

),

store_managers as (

    {{ managers_at("owned", ["store_id"]) }}

),

found as (

    select
        owned.*,
        coalesce(
            place_managers.manager_id, department_managers.manager_id, store_managers.manager_id
        ) as place_manager_id,
        case
            when place_managers.manager_id is not null then 'manager_of_department_in_store'
            when department_managers.manager_id is not null then 'manager_of_department'
            when store_managers.manager_id is not null then 'manager_of_store'
        end as place_basis
    from owned
    left join place_managers
        on
            owned.interaction_on = place_managers.interaction_on
            and owned.store_id = place_managers.store_id
            and owned.owning_department_code = place_managers.owning_department_code
    left join department_managers
        on
            owned.interaction_on = department_managers.interaction_on
            and owned.owning_department_code = department_managers.owning_department_code
    left join store_managers
        on
            owned.interaction_on = store_managers.interaction_on
            and owned.store_id = store_managers.store_id

),

placed as (

    select
        *,
        manager_id is not null
        and (department_code = owning_department_code or place_manager_id is null)
            as is_by_employee
    from found

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
from placed
