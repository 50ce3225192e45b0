-- One row per invitation, with the order's customer, store and employee where the invitation does
-- not name its own.
with invitations as (

    select
        *,
        {{ local_day("sent_at") }} as sent_on
    from {{ ref("stg_survey__invitations") }}

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
        invitations.invitation_id,
        invitations.survey_code,
        invitations.channel,
        invitations.sent_at,
        invitations.sent_on,
        invitations.order_id,
        invitations.touchpoint_code,
        orders.ordered_at,
        coalesce(orders.ordered_on, invitations.sent_on) as interaction_on,
        coalesce(invitations.customer_id, orders.customer_id) as customer_id,
        coalesce(invitations.store_id, orders.store_id) as store_id,
        coalesce(invitations.employee_id, orders.employee_id) as employee_id
    from invitations
    left join orders
        on invitations.order_id = orders.order_id

)

select
    linked.invitation_id,
    linked.survey_code,
    linked.channel,
    linked.sent_at,
    linked.sent_on,
    linked.order_id,
    linked.touchpoint_code,
    linked.ordered_at,
    linked.interaction_on,
    linked.customer_id,
    customers.segment,
    linked.store_id,
    stores.region,
    linked.employee_id,
    assignments.department_code,
    case when linked.sent_on > night.as_of then 'after_as_of' end as exclusion_reason
from linked
cross join night
left join stores
    on linked.store_id = stores.store_id
left join customers
    on linked.customer_id = customers.customer_id
left join assignments
    on
        linked.employee_id = assignments.employee_id
        and {{ in_force("assignments", "linked.interaction_on") }}
