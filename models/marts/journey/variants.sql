-- The hundred most frequent ways by name; the others together, so that the counts add up.
{% set shown = 100 %}

with journeys as (

    select * from {{ ref("int_journeys_summed") }}

),

counted as (

    {% for level, entity in {"company": "'company'", "segment": "segment"}.items() %}
    select
        quarter_start as period_start,
        '{{ level }}' as level,
        {{ entity }} as entity_id,
        path,
        count(*) as journey_count,
        count(*) filter (where order_count > 0) as ordering_count,
        sum(order_amount) as order_amount
    from journeys
    group by {{ entity ~ "," if level != "company" }} quarter_start, path
    {{ "union all" if not loop.last }}
    {% endfor %}

),

ranked as (

    select
        *,
        row_number() over (
            partition by period_start, level, entity_id order by journey_count desc, path asc
        ) as variant_rank
    from counted

)

select
    period_start,
    level,
    entity_id,
    cast(least(variant_rank, {{ shown + 1 }}) as integer) as variant_no,
    case when variant_rank <= {{ shown }} then path else '(other)' end as path,
    cast(count(*) as bigint) as path_count,
    cast(sum(journey_count) as bigint) as journey_count,
    cast(sum(ordering_count) as bigint) as ordering_count,
    cast(sum(order_amount) as decimal(28, 4)) as order_amount
from ranked
group by
    period_start,
    level,
    entity_id,
    least(variant_rank, {{ shown + 1 }}),
    case when variant_rank <= {{ shown }} then path else '(other)' end
