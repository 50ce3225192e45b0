-- One row per response, credited to the person, store and department at the time of the interaction
-- it rates. What the response does not say is taken from its invitation, then from its order; a
-- store that nobody names is that of the employee's assignment.
with responses as (

    select
        *,
        {{ local_day("submitted_at") }} as submitted_on
    from {{ ref("stg_survey__responses") }}

),

invitations as (

    select * from {{ ref("int_invitations_credited") }}

),

orders as (

    select * from {{ ref("int_orders_summed") }}

),

stores as (

    select
        store_id,
        region
    from {{ ref("stg_sales__stores") }}

),

customers as (

    select
        customer_id,
        segment
    from {{ ref("stg_sales__customers") }}

),

assignments as (

    select * from {{ ref("int_assignments_bounded") }}

),

night as (

    select as_of from {{ source("control", "night") }}

),

linked as (

    select
        responses.response_id,
        responses.survey_code,
        responses.channel,
        responses.started_at,
        responses.submitted_at,
        responses.submitted_on,
        responses.invitation_id,
        responses.language,
        responses.device_id,
        responses.network_id,
        responses.qr_token,
        orders.ordered_at,
        coalesce(responses.order_id, invitations.order_id) as order_id,
        coalesce(responses.touchpoint_code, invitations.touchpoint_code) as touchpoint_code,
        coalesce(responses.customer_id, invitations.customer_id, orders.customer_id) as customer_id,
        coalesce(responses.store_id, invitations.store_id, orders.store_id) as store_id,
        coalesce(responses.employee_id, invitations.employee_id, orders.employee_id) as employee_id,
        coalesce(orders.ordered_on, invitations.interaction_on, responses.submitted_on)
            as interaction_on,
        responses.file_id,
        responses.file_line_no
    from responses
    left join invitations
        on responses.invitation_id = invitations.invitation_id
    left join orders
        on coalesce(responses.order_id, invitations.order_id) = orders.order_id

)

select
    linked.response_id,
    linked.survey_code,
    linked.channel,
    linked.started_at,
    linked.submitted_at,
    linked.submitted_on,
    linked.invitation_id,
    linked.language,
    linked.device_id,
    linked.network_id,
    linked.qr_token,
    linked.order_id,
    linked.ordered_at,
    linked.touchpoint_code,
    linked.customer_id,
    customers.segment,
    coalesce(linked.store_id, assignments.store_id) as store_id,
    stores.region,
    linked.employee_id,
    assignments.department_code,
    assignments.job_role,
    assignments.manager_id,
    linked.interaction_on,
    case when linked.submitted_on > night.as_of then 'after_as_of' end as exclusion_reason,
    case
        when linked.employee_id is null then 'no_employee'
        when assignments.employee_id is null then 'no_assignment'
    end as uncredited_reason,
    linked.file_id,
    linked.file_line_no
from linked
cross join night
left join assignments
    on
        linked.employee_id = assignments.employee_id
        and {{ in_force("assignments", "linked.interaction_on") }}
left join stores
    on coalesce(linked.store_id, assignments.store_id) = stores.store_id
left join customers
    on linked.customer_id = customers.customer_id
