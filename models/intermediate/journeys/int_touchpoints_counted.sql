-- One row per period, level, entity and touchpoint: touches, what became of them, and answers about
-- them, as sums, of the periods in which something changed.
{{ config(
    materialized="patched",
    patched_by="int_journey_periods_touched",
    partition=["period_type", "period_start"],
) }}

with events as (

    {{ in_touched_journey_periods(ref("int_touchpoint_events_listed")) }}

),

summed as (

    {% for period_type in ["month", "quarter"] %}
    {% set is_last_period = loop.last %}
    {% for level, entity in journey_levels().items() %}
    select
        '{{ period_type }}' as period_type,
        touched_{{ period_type }} as period_start,
        '{{ level }}' as level,
        {{ entity }} as entity_id,
        touchpoint_code,
        sum(touches) as event_count,
        sum(unlinked) as unlinked_count,
        count(distinct customer_id) as customer_count,
        count(distinct journey_id) as journey_count,
        sum(settled) as settled_count,
        sum(dropped) as drop_off_count,
        sum(rework) as rework_count,
        {{ median_of("cast(seconds_to_next as double)") }} as median_seconds_to_next,
        {{ median_of("cast(business_seconds_to_next as double)") }}
            as median_business_seconds_to_next,
        {% for measure in ["csat", "nps", "ces"] %}
        count(*) filter (where measure_code = '{{ measure }}') as {{ measure }}_n,
        sum(good) filter (where measure_code = '{{ measure }}') as {{ measure }}_good,
        sum(bad) filter (where measure_code = '{{ measure }}') as {{ measure }}_bad,
        {% endfor %}
        sum(complaints) as complaint_count,
        sum(standards) as standard_count,
        sum(delays) as delay_count
    from events
    where {{ entity }} is not null and touched_{{ period_type }} is not null
    group by {{ entity ~ "," if level != "company" }} touched_{{ period_type }}, touchpoint_code
    {{ "union all" if not (loop.last and is_last_period) }}
    {% endfor %}
    {% endfor %}

)

select
    period_type,
    period_start,
    level,
    entity_id,
    touchpoint_code,
    {% for column in [
        "event_count", "unlinked_count", "customer_count", "journey_count", "settled_count",
        "drop_off_count", "rework_count", "csat_n", "csat_good", "csat_bad", "nps_n", "nps_good",
        "nps_bad", "ces_n", "ces_good", "ces_bad", "complaint_count", "standard_count",
        "delay_count",
    ] %}
    cast(coalesce({{ column }}, 0) as bigint) as {{ column }},
    {% endfor %}
    median_seconds_to_next,
    median_business_seconds_to_next
from summed
