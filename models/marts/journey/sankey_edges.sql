-- Steps beyond the last one shown are one node, `later`: every journey leaves it again, to `end`.
with moves as (

    select
        moves.*,
        cast(settings.journey_steps as integer) as steps
    from {{ ref("int_transitions_listed") }} as moves
    cross join {{ ref("int_journey_settings_listed") }} as settings

),

shown as (

    select
        *,
        case
            when step_no = steps and to_touchpoint != 'end' then 'later'
            else to_touchpoint
        end as shown_to
    from moves
    where step_no <= steps

),

edges as (

    select
        quarter_start,
        store_id,
        region,
        segment,
        step_no,
        from_touchpoint,
        shown_to as to_touchpoint
    from shown
    union all
    select
        quarter_start,
        store_id,
        region,
        segment,
        steps + 1 as step_no,
        'later' as from_touchpoint,
        'end' as to_touchpoint
    from shown
    where shown_to = 'later'

)

{% for level, entity in journey_levels().items() %}
select
    quarter_start as period_start,
    '{{ level }}' as level,
    {{ entity }} as entity_id,
    cast(step_no as integer) as step_no,
    from_touchpoint,
    to_touchpoint,
    cast(count(*) as bigint) as journey_count
from edges
where {{ entity }} is not null
group by
    {{ entity ~ "," if level != "company" }} quarter_start,
    step_no,
    from_touchpoint,
    to_touchpoint
{{ "union all" if not loop.last }}
{% endfor %}
