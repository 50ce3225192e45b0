-- One row per bad outcome: an answer of a detractor, or a customer who has left: no order within
-- the horizon after the last one. With what is at stake: what the customer bought in the year
-- before.
with answers as (

    select
        evidence_id,
        customer_id,
        response_id,
        touchpoint_code,
        order_id,
        store_id,
        known_at,
        known_on
    from {{ ref("int_experiences_gathered") }}
    where measure_code = 'nps' and is_bad
    union all
    -- An answer about no touchpoint is evidence of none, and an outcome all the same.
    select
        concat(answers.response_id, '/', answers.question_code) as evidence_id,
        coalesce(merged.resolved_customer_id, answers.customer_id) as customer_id,
        answers.response_id,
        null as touchpoint_code,
        responses.order_id,
        answers.store_id,
        answers.submitted_at as known_at,
        answers.submitted_on as known_on
    from {{ ref("int_answers_scored") }} as answers
    inner join {{ ref("int_responses_screened") }} as responses
        on answers.response_id = responses.response_id
    left join {{ ref("int_customers_merged") }} as merged
        on answers.customer_id = merged.customer_id
    where
        answers.measure_code = 'nps'
        and answers.is_bottom_box
        and answers.exclusion_reason is null
        and answers.touchpoint_code is null

),

orders as (

    select * from {{ ref("int_touches_sequenced") }}
    where order_amount is not null

),

purchases as (

    select
        customer_id,
        occurred_on as ordered_on,
        min(segment) as segment,
        min(store_id) as store_id,
        min(region) as region,
        sum(order_amount) as amount,
        min(event_id) as event_id
    from orders
    group by customer_id, occurred_on

),

following as (

    select
        *,
        lead(ordered_on) over (partition by customer_id order by ordered_on) as next_ordered_on
    from purchases

),

night as (

    select as_of from {{ source("control", "night") }}

),

customers as (

    select
        customer_id,
        segment
    from {{ ref("stg_sales__customers") }}

),

stores as (

    select
        store_id,
        region
    from {{ ref("stg_sales__stores") }}

),

left_customers as (

    select
        following.customer_id,
        following.segment,
        following.store_id,
        following.region,
        following.event_id as last_event_id,
        following.ordered_on,
        {{ add_days("following.ordered_on", "horizons.horizon_days") }} as left_on
    from following
    inner join {{ ref("int_churn_horizons_dated") }} as horizons
        on following.segment = horizons.segment
    cross join night
    where
        {{ add_days("following.ordered_on", "horizons.horizon_days") }} <= night.as_of
        and (
            following.next_ordered_on is null
            or following.next_ordered_on
            > {{ add_days("following.ordered_on", "horizons.horizon_days") }}
        )

),

outcomes as (

    select
        concat('detractor/', answers.evidence_id) as outcome_id,
        'detractor' as outcome_code,
        answers.customer_id,
        answers.response_id,
        answers.touchpoint_code,
        answers.order_id,
        answers.known_at,
        answers.known_on as outcome_on,
        answers.known_on as experienced_until,
        answers.known_on as reached_back_from,
        case when answers.customer_id is not null then coalesce(customers.segment, 'unknown') end
            as segment,
        answers.store_id,
        stores.region
    from answers
    left join customers
        on answers.customer_id = customers.customer_id
    left join stores
        on answers.store_id = stores.store_id
    union all
    select
        -- Named after the last order and not after the customer, who may have to be forgotten.
        concat('churned/', last_event_id) as outcome_id,
        'churned' as outcome_code,
        customer_id,
        null as response_id,
        null as touchpoint_code,
        null as order_id,
        null as known_at,
        left_on as outcome_on,
        left_on as experienced_until,
        ordered_on as reached_back_from,
        segment,
        store_id,
        region
    from left_customers

),

spent as (

    select
        outcomes.outcome_id,
        cast(sum(purchases.amount) as decimal(28, 4)) as loss_amount
    from outcomes
    inner join purchases
        on
            outcomes.customer_id = purchases.customer_id
            and outcomes.reached_back_from >= purchases.ordered_on
            and purchases.ordered_on > {{ add_days("outcomes.reached_back_from", -365) }}
    group by outcomes.outcome_id

)

select
    outcomes.outcome_id,
    outcomes.outcome_code,
    outcomes.customer_id,
    outcomes.response_id,
    outcomes.touchpoint_code,
    outcomes.order_id,
    outcomes.known_at,
    outcomes.outcome_on,
    outcomes.experienced_until,
    outcomes.reached_back_from,
    outcomes.segment,
    outcomes.store_id,
    outcomes.region,
    cast(coalesce(spent.loss_amount, 0) as decimal(28, 4)) as loss_amount
from outcomes
left join spent
    on outcomes.outcome_id = spent.outcome_id
