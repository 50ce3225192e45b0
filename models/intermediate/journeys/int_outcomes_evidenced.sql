-- One row per outcome and bad experience that may explain it: of the same customer, from some days
-- before (before the last order of who has left) up to the outcome; of who is not known, those of
-- the same response or order.
{% set points = {
    "answer": "answer_points", "ticket": "ticket_points", "delay": "delay_points"
} %}

with outcomes as (

    select * from {{ ref("int_outcomes_listed") }}

),

settings as (

    select * from {{ ref("int_journey_settings_listed") }}

),

experiences as (

    select * from {{ ref("int_experiences_gathered") }}
    where is_bad

),

matched as (

    select
        outcomes.outcome_id,
        experiences.evidence_id
    from outcomes
    cross join settings
    inner join experiences
        on
            outcomes.customer_id = experiences.customer_id
            and outcomes.experienced_until >= experiences.known_on
            and experiences.known_on > {{ add_days(
                "outcomes.reached_back_from", "-cast(settings.blame_lookback_days as integer)"
            ) }}
            and (outcomes.known_at is null or outcomes.known_at >= experiences.known_at)
    union
    select
        outcomes.outcome_id,
        experiences.evidence_id
    from outcomes
    inner join experiences
        on outcomes.response_id = experiences.response_id
    union
    select
        outcomes.outcome_id,
        experiences.evidence_id
    from outcomes
    inner join experiences
        on
            outcomes.order_id = experiences.order_id
            and outcomes.known_at >= experiences.known_at
    where outcomes.customer_id is null

)

select
    matched.outcome_id,
    experiences.evidence_id,
    experiences.evidence_kind,
    experiences.measure_code,
    experiences.score,
    experiences.touchpoint_code,
    experiences.event_id,
    experiences.known_at,
    experiences.known_on,
    case experiences.evidence_kind
        {% for kind, setting in points.items() %}
        when '{{ kind }}' then settings.{{ setting }}
        {% endfor %}
    end as points
from matched
inner join experiences
    on matched.evidence_id = experiences.evidence_id
cross join settings
