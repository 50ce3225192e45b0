-- One row per touchpoint and outcome that it may have moved: `repurchase` of an order with an
-- experience at the touchpoint, `nps` of an answer given after one. Whether the experience was bad,
-- and the bad experiences elsewhere that came with it, so that one touchpoint does not answer for
-- another. An answer about recommendation is the outcome and no experience.
with orders as (

    select * from {{ ref("int_orders_followed") }}

),

experiences as (

    select
        experiences.order_id,
        experiences.touchpoint_code,
        experiences.known_at,
        experiences.is_bad,
        orders.event_id,
        orders.ordered_at
    from {{ ref("int_experiences_gathered") }} as experiences
    inner join orders
        on experiences.order_id = orders.order_id
    cross join {{ ref("int_journey_settings_listed") }} as settings
    where
        experiences.measure_code is distinct from 'nps'
        and experiences.known_at >= orders.ordered_at
        and {{ dbt.datediff("orders.ordered_at", "experiences.known_at", "second") }}
        <= settings.experience_days * 86400

),

by_order as (

    select
        order_id,
        touchpoint_code,
        bool_or(is_bad) as is_bad
    from experiences
    group by order_id, touchpoint_code

),

answers as (

    select
        answers.evidence_id,
        answers.order_id,
        answers.known_at,
        answers.known_on,
        scored.is_top_box,
        scored.is_bottom_box
    from {{ ref("int_experiences_gathered") }} as answers
    inner join {{ ref("int_answers_scored") }} as scored
        on answers.evidence_id = concat(scored.response_id, '/', scored.question_code)
    where answers.measure_code = 'nps' and answers.order_id is not null

),

by_answer as (

    select
        answers.evidence_id,
        experiences.touchpoint_code,
        bool_or(experiences.is_bad) as is_bad
    from answers
    inner join experiences
        on
            answers.order_id = experiences.order_id
            and answers.known_at >= experiences.known_at
    group by answers.evidence_id, experiences.touchpoint_code

),

trials as (

    select
        'repurchase' as outcome_code,
        orders.event_id as trial_id,
        by_order.touchpoint_code,
        by_order.is_bad,
        orders.order_id,
        orders.window_end as known_on,
        case when orders.is_repurchased then 1.0 else 0.0 end as outcome
    from by_order
    inner join orders
        on by_order.order_id = orders.order_id
    where orders.is_repurchased is not null
    union all
    select
        'nps' as outcome_code,
        answers.evidence_id as trial_id,
        by_answer.touchpoint_code,
        by_answer.is_bad,
        answers.order_id,
        answers.known_on,
        case
            when answers.is_top_box then 100.0
            when answers.is_bottom_box then -100.0
            else 0.0
        end as outcome
    from by_answer
    inner join answers
        on by_answer.evidence_id = answers.evidence_id

),

-- All bad experiences of a trial as one text; the own touchpoint is taken out where it is read.
bad_experiences as (

    select
        outcome_code,
        trial_id,
        {{ join_in_order("touchpoint_code", "|", ["touchpoint_code"]) }} as bad_touchpoints
    from trials
    where is_bad
    group by outcome_code, trial_id

)

select
    trials.outcome_code,
    trials.trial_id,
    trials.touchpoint_code,
    trials.is_bad,
    trials.known_on,
    cast(trials.outcome as double) as outcome,
    coalesce(bad_experiences.bad_touchpoints, '') as bad_touchpoints,
    orders.customer_id,
    orders.segment,
    orders.region,
    orders.acquisition_channel,
    cast(orders.orders_before as integer) as orders_before,
    orders.ordered_month,
    orders.order_touchpoint_code
from trials
inner join orders
    on trials.order_id = orders.order_id
left join bad_experiences
    on
        trials.outcome_code = bad_experiences.outcome_code
        and trials.trial_id = bad_experiences.trial_id
