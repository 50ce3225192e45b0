-- One row per touch: an interaction, an order, a visit that brought goods of an order back, a
-- ticket. Answers of surveys are evidence about a touch and none themselves. What cannot be in a
-- journey keeps its row with an exclusion_reason.
with interactions as (

    select * from {{ ref("stg_service__interactions") }}

),

orders as (

    select * from {{ ref("int_orders_summed") }}

),

returns as (

    select
        order_id,
        returned_at,
        min(return_id) as return_id,
        count(*) as record_count,
        max(store_id) as store_id,
        max(customer_id) as customer_id,
        min(exclusion_reason) as exclusion_reason
    from {{ ref("int_returns_credited") }}
    group by order_id, returned_at

),

tickets as (

    select * from {{ ref("stg_service__tickets") }}

),

records as (

    select
        'interaction' as source_code,
        interaction_id as source_id,
        1 as record_count,
        occurred_at,
        touchpoint_code,
        channel,
        customer_id,
        order_id,
        store_id,
        employee_id,
        campaign_code,
        item_code,
        contact_hash,
        card_id,
        cast(null as decimal(28, 4)) as order_amount,
        cast(null as {{ dbt.type_string() }}) as reason_code,
        cast(null as {{ dbt.type_string() }}) as exclusion_reason
    from interactions
    union all
    select
        'order' as source_code,
        order_id as source_id,
        1 as record_count,
        ordered_at as occurred_at,
        null as touchpoint_code,
        channel,
        customer_id,
        order_id,
        store_id,
        employee_id,
        null as campaign_code,
        null as item_code,
        null as contact_hash,
        null as card_id,
        order_amount,
        null as reason_code,
        null as exclusion_reason
    from orders
    union all
    select
        'return' as source_code,
        return_id as source_id,
        record_count,
        returned_at as occurred_at,
        null as touchpoint_code,
        null as channel,
        customer_id,
        order_id,
        store_id,
        null as employee_id,
        null as campaign_code,
        null as item_code,
        null as contact_hash,
        null as card_id,
        null as order_amount,
        null as reason_code,
        exclusion_reason
    from returns
    union all
    select
        'ticket' as source_code,
        ticket_id as source_id,
        1 as record_count,
        opened_at as occurred_at,
        null as touchpoint_code,
        channel,
        customer_id,
        order_id,
        store_id,
        employee_id,
        null as campaign_code,
        null as item_code,
        null as contact_hash,
        null as card_id,
        null as order_amount,
        reason_code,
        null as exclusion_reason
    from tickets

),

dated as (

    select
        *,
        {{ local_day("occurred_at") }} as occurred_on
    from records

),

night as (

    select as_of from {{ source("control", "night") }}

),

sources as (

    select * from {{ ref("touch_sources") }}

),

placed as (

    select
        dated.*,
        night.as_of,
        coalesce(
            dated.touchpoint_code, of_channel.touchpoint_code, of_all.touchpoint_code
        ) as placed_touchpoint_code
    from dated
    cross join night
    left join sources as of_channel
        on
            dated.source_code = of_channel.source_code
            and dated.channel = of_channel.channel
            and {{ in_force("of_channel", "dated.occurred_on") }}
    left join sources as of_all
        on
            dated.source_code = of_all.source_code
            and of_all.channel = '*'
            and {{ in_force("of_all", "dated.occurred_on") }}

)

select
    concat(source_code, '/', source_id) as event_id,
    source_code,
    source_id,
    cast(record_count as bigint) as record_count,
    occurred_at,
    occurred_on,
    placed_touchpoint_code as touchpoint_code,
    channel,
    customer_id,
    order_id,
    store_id,
    employee_id,
    campaign_code,
    item_code,
    contact_hash,
    card_id,
    order_amount,
    reason_code,
    case
        when exclusion_reason is not null then exclusion_reason
        when occurred_on > as_of then 'after_as_of'
        when placed_touchpoint_code is null then 'no_touchpoint'
    end as exclusion_reason
from placed
