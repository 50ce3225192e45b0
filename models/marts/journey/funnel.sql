{% set stages = ["contact", "purchase", "use", "after_sales"] %}

with journeys as (

    select * from {{ ref("int_journeys_summed") }}

),

counted as (

    {% for period_type in ["month", "quarter"] %}
    {% set is_last_period = loop.last %}
    {% for level, entity in journey_levels().items() %}
    {% set is_last_level = loop.last %}
    {% for stage in stages %}
    select
        '{{ period_type }}' as period_type,
        {{ period_type }}_start as period_start,
        '{{ level }}' as level,
        {{ entity }} as entity_id,
        {{ loop.index }} as stage_no,
        '{{ stage }}' as stage_code,
        count(*) as journey_count,
        count(*) filter (where has_{{ stage }}) as reached_count,
        count(*) filter (
            where has_{{ stage }} and furthest_stage = '{{ stage }}' and not is_open
        ) as drop_off_count,
        count(*) filter (
            where has_{{ stage }} and furthest_stage = '{{ stage }}' and is_open
        ) as open_count
    from journeys
    where {{ entity }} is not null
    group by {{ entity ~ "," if level != "company" }} {{ period_type }}_start
    {{ "union all" if not (loop.last and is_last_level and is_last_period) }}
    {% endfor %}
    {% endfor %}
    {% endfor %}

)

select
    period_type,
    period_start,
    level,
    entity_id,
    stage_no,
    stage_code,
    cast(journey_count as bigint) as journey_count,
    cast(reached_count as bigint) as reached_count,
    cast(reached_count as double) / nullif(journey_count, 0) as reached_ratio,
    cast(drop_off_count as bigint) as drop_off_count,
    cast(drop_off_count as double) / nullif(reached_count - open_count, 0) as drop_off_ratio,
    {{ wilson_bound("drop_off_count", "(reached_count - open_count)", "low") }} as drop_off_low,
    {{ wilson_bound("drop_off_count", "(reached_count - open_count)", "high") }} as drop_off_high,
    cast(open_count as bigint) as open_count
from counted
