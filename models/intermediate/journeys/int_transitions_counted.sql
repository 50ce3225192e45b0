-- One row per period, level, entity and move between touchpoints, of the periods in which something
-- changed. A journey belongs to the period it began in, so that what flows into a touchpoint flows
-- out of it or ends.
{{ config(
    materialized="patched",
    patched_by="int_journey_periods_touched",
    partition=["period_type", "period_start"],
) }}

with moves as (

    {{ in_touched_journey_periods(ref("int_transitions_listed")) }}
    -- No move is made before the period that its journey begins in.
    and listed.occurred_on >= (
        select min(period_start) from {{ ref("int_journey_periods_touched") }}
    )

),

counted as (

    {% for period_type in ["month", "quarter"] %}
    {% set is_last_period = loop.last %}
    {% for level, entity in journey_levels().items() %}
    select
        '{{ period_type }}' as period_type,
        touched_{{ period_type }} as period_start,
        '{{ level }}' as level,
        {{ entity }} as entity_id,
        from_touchpoint,
        to_touchpoint,
        count(*) as transition_count,
        count(*) filter (where to_touchpoint = 'end' and is_open) as open_count,
        {{ median_of("cast(seconds as double)") }} as median_seconds,
        {{ median_of("cast(business_seconds as double)") }} as median_business_seconds
    from moves
    where {{ entity }} is not null and touched_{{ period_type }} is not null
    group by
        {{ entity ~ "," if level != "company" }} touched_{{ period_type }},
        from_touchpoint,
        to_touchpoint
    {{ "union all" if not (loop.last and is_last_period) }}
    {% endfor %}
    {% endfor %}

)

select
    period_type,
    period_start,
    level,
    entity_id,
    from_touchpoint,
    to_touchpoint,
    cast(transition_count as bigint) as transition_count,
    cast(transition_count as double) / sum(transition_count) over (
        partition by period_type, period_start, level, entity_id, from_touchpoint
    ) as transition_ratio,
    cast(open_count as bigint) as open_count,
    median_seconds,
    median_business_seconds
from counted
