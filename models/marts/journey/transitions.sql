with moves as (

    select * from {{ ref("int_transitions_listed") }}

),

counted as (

    {% for period_type in ["month", "quarter"] %}
    {% set is_last_period = loop.last %}
    {% for level, entity in journey_levels().items() %}
    select
        '{{ period_type }}' as period_type,
        {{ period_type }}_start as period_start,
        '{{ level }}' as level,
        {{ entity }} as entity_id,
        from_touchpoint,
        to_touchpoint,
        count(*) as transition_count,
        count(*) filter (where to_touchpoint = 'end' and is_open) as open_count,
        {{ median_of("cast(seconds as double)") }} as median_seconds,
        {{ median_of("cast(business_seconds as double)") }} as median_business_seconds
    from moves
    where {{ entity }} is not null
    group by
        {{ entity ~ "," if level != "company" }} {{ period_type }}_start,
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
