-- One row per piece of evidence about a touchpoint: an answer, a ticket that complains of it, a
-- ticket answered within or beyond its standard. With the touch it is about (the latest of the
-- customer at the touchpoint, that of the same order first) and the order it belongs to (as
-- delivered, else the latest before it).
with responses as (

    select
        response_id,
        order_id
    from {{ ref("int_responses_screened") }}

),

tickets as (

    select
        *,
        {{ local_day("opened_at") }} as opened_on
    from {{ ref("stg_service__tickets") }}

),

night as (

    select as_of from {{ source("control", "night") }}

),

merged as (

    select * from {{ ref("int_customers_merged") }}

),

touches as (

    select * from {{ ref("int_touches_linked") }}
    where exclusion_reason is null

),

ticket_touches as (

    select * from touches
    where source_code = 'ticket'

),

evidence as (

    select
        concat(answers.response_id, '/', answers.question_code) as evidence_id,
        'answer' as evidence_kind,
        answers.measure_code,
        answers.response_id,
        answers.touchpoint_code,
        answers.customer_id,
        answers.store_id,
        responses.order_id,
        answers.submitted_at as known_at,
        answers.submitted_on as known_on,
        answers.score,
        answers.is_bottom_box as is_bad
    from {{ ref("int_answers_scored") }} as answers
    inner join responses
        on answers.response_id = responses.response_id
    where
        answers.measure_code is not null
        and answers.exclusion_reason is null
        and answers.touchpoint_code is not null
    union all
    select
        concat(tickets.ticket_id, '/ticket') as evidence_id,
        'ticket' as evidence_kind,
        null as measure_code,
        null as response_id,
        reasons.touchpoint_code,
        tickets.customer_id,
        tickets.store_id,
        tickets.order_id,
        tickets.opened_at as known_at,
        tickets.opened_on as known_on,
        null as score,
        true as is_bad
    from tickets
    inner join night
        on tickets.opened_on <= night.as_of
    inner join {{ ref("ticket_reasons") }} as reasons
        on
            tickets.reason_code = reasons.reason_code
            and {{ in_force("reasons", "tickets.opened_on") }}
    union all
    select
        concat(tickets.ticket_id, '/delay') as evidence_id,
        'delay' as evidence_kind,
        null as measure_code,
        null as response_id,
        standards.touchpoint_code,
        tickets.customer_id,
        tickets.store_id,
        tickets.order_id,
        tickets.opened_at as known_at,
        tickets.opened_on as known_on,
        null as score,
        coalesce(
            {{ dbt.datediff("tickets.opened_at", "tickets.first_response_at", "second") }}
            > standards.first_response_minutes * 60,
            true
        ) as is_bad
    from tickets
    inner join {{ ref("service_standards") }} as standards
        on
            tickets.channel = standards.channel
            and {{ in_force("standards", "tickets.opened_on") }}
    inner join night
        on
            tickets.opened_on <= night.as_of
            and (tickets.first_response_at is not null or tickets.opened_on < night.as_of)

),

-- A response or ticket that names no customer is one of the customer of its order.
named as (

    select
        evidence.*,
        coalesce(merged.resolved_customer_id, evidence.customer_id, orders.customer_id)
            as resolved_customer_id
    from evidence
    left join merged
        on evidence.customer_id = merged.customer_id
    left join touches as orders
        on
            orders.source_code = 'order'
            and evidence.order_id = orders.order_id

),

orders as (

    select
        event_id,
        customer_id,
        order_id,
        occurred_at
    from touches
    where source_code = 'order' and customer_id is not null

),

candidates as (

    select
        named.evidence_id,
        touches.event_id,
        touches.occurred_at,
        case when touches.order_id = named.order_id then 0 else 1 end as remoteness
    from named
    inner join touches
        on
            named.resolved_customer_id = touches.customer_id
            and named.touchpoint_code = touches.touchpoint_code
            and named.known_at >= touches.occurred_at
    union all
    select
        named.evidence_id,
        touches.event_id,
        touches.occurred_at,
        0 as remoteness
    from named
    inner join touches
        on
            named.order_id = touches.order_id
            and named.touchpoint_code = touches.touchpoint_code
            and named.known_at >= touches.occurred_at
    where named.resolved_customer_id is null

),

about as (

    select
        evidence_id,
        event_id
    from candidates
    qualify
        row_number() over (
            partition by evidence_id order by remoteness asc, occurred_at desc, event_id asc
        ) = 1

),

-- Only what names no order is searched for one.
last_orders as (

    select
        named.evidence_id,
        orders.order_id
    from named
    inner join orders
        on
            named.resolved_customer_id = orders.customer_id
            and named.known_at >= orders.occurred_at
    where named.order_id is null
    qualify
        row_number() over (
            partition by named.evidence_id order by orders.occurred_at desc, orders.event_id asc
        ) = 1

)

select
    named.evidence_id,
    named.evidence_kind,
    named.measure_code,
    named.response_id,
    named.touchpoint_code,
    named.resolved_customer_id as customer_id,
    named.store_id,
    coalesce(named.order_id, last_orders.order_id) as order_id,
    case
        when named.evidence_kind = 'delay' then ticket_touches.event_id
        else about.event_id
    end as event_id,
    named.known_at,
    named.known_on,
    named.score,
    named.is_bad
from named
left join about
    on named.evidence_id = about.evidence_id
left join last_orders
    on named.evidence_id = last_orders.evidence_id
left join ticket_touches
    on named.evidence_id = concat(ticket_touches.source_id, '/delay')
