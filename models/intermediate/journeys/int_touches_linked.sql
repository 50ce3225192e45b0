-- One row per touch, with the customer it is a touch of and the rule that says so: the source's own
-- customer_id, the customer of the order, of the contact, of the loyalty card. A touch that no rule
-- links stays, anonymous.
with touches as (

    select
        *,
        -- Asked only where the source names nobody.
        case when customer_id is null then order_id end as asked_order_id,
        case when customer_id is null then lower(contact_hash) end as asked_contact_hash,
        case when customer_id is null then card_id end as asked_card_id
    from {{ ref("int_touches_gathered") }}

),

orders as (

    select
        order_id,
        customer_id
    from {{ ref("int_orders_summed") }}
    where customer_id is not null

),

merged as (

    select * from {{ ref("int_customers_merged") }}

),

-- A contact or card of several customers who are not one says nothing about who it was.
contacts as (

    select
        contact_hash,
        min(resolved_customer_id) as customer_id
    from merged
    where contact_hash is not null
    group by contact_hash
    having count(distinct resolved_customer_id) = 1

),

cards as (

    select
        card_id,
        min(resolved_customer_id) as customer_id
    from merged
    where card_id is not null
    group by card_id
    having count(distinct resolved_customer_id) = 1

),

customers as (

    select
        customer_id,
        segment,
        acquisition_channel
    from {{ ref("stg_sales__customers") }}

),

stores as (

    select
        store_id,
        region
    from {{ ref("stg_sales__stores") }}

),

touchpoints as (

    select * from {{ ref("touchpoints") }}

),

days as (

    select * from {{ ref("int_days_dated") }}

),

found as (

    select
        touches.*,
        case
            when touches.customer_id is not null then 'customer_id'
            when orders.customer_id is not null then 'order'
            when contacts.customer_id is not null then 'contact'
            when cards.customer_id is not null then 'card'
        end as link_rule,
        coalesce(
            touches.customer_id, orders.customer_id, contacts.customer_id, cards.customer_id
        ) as found_customer_id
    from touches
    left join orders
        on touches.asked_order_id = orders.order_id
    left join contacts
        on touches.asked_contact_hash = contacts.contact_hash
    left join cards
        on touches.asked_card_id = cards.card_id

)

select
    found.event_id,
    found.source_code,
    found.source_id,
    found.record_count,
    found.occurred_at,
    found.occurred_on,
    coalesce(
        days.month_start, cast({{ dbt.date_trunc("month", "found.occurred_on") }} as date)
    ) as month_start,
    coalesce(
        days.quarter_start, cast({{ dbt.date_trunc("quarter", "found.occurred_on") }} as date)
    ) as quarter_start,
    found.touchpoint_code,
    touchpoints.stage_code,
    found.channel,
    coalesce(merged.resolved_customer_id, found.found_customer_id) as customer_id,
    found.found_customer_id as source_customer_id,
    found.link_rule,
    merged.merge_rule,
    case
        when found.found_customer_id is not null then coalesce(customers.segment, 'unknown')
    end as segment,
    customers.acquisition_channel,
    found.order_id,
    found.store_id,
    stores.region,
    found.employee_id,
    found.campaign_code,
    found.item_code,
    found.order_amount,
    found.reason_code,
    found.exclusion_reason
from found
left join merged
    on found.found_customer_id = merged.customer_id
left join customers
    on coalesce(merged.resolved_customer_id, found.found_customer_id) = customers.customer_id
left join stores
    on found.store_id = stores.store_id
left join touchpoints
    on
        found.touchpoint_code = touchpoints.touchpoint_code
        and {{ in_force("touchpoints", "found.occurred_on") }}
left join days
    on found.occurred_on = days.date_day
