{% set levels = {"company": "'company'", "store": "store_id"} %}

with counts as (

    select * from {{ ref("int_survey_funnels_counted") }}

),

summed as (

    {% for level, entity in levels.items() %}
    select
        '{{ level }}' as level,
        {{ entity }} as entity_id,
        survey_code,
        channel,
        month_start,
        cast(sum(invited_count) as bigint) as invited_count,
        cast(sum(eligible_order_count) as bigint) as eligible_order_count,
        cast(sum(started_count) as bigint) as started_count,
        cast(sum(completed_count) as bigint) as completed_count,
        cast(sum(walk_in_count) as bigint) as walk_in_count
    from counts
    where {{ entity }} is not null
    group by {{ entity ~ "," if level != "company" }} survey_code, channel, month_start
    {{ "union all" if not loop.last }}
    {% endfor %}

),

based as (

    select
        *,
        invited_count + eligible_order_count as denominator
    from summed

)

select
    level,
    entity_id,
    survey_code,
    channel,
    month_start,
    invited_count,
    eligible_order_count,
    started_count,
    completed_count,
    walk_in_count,
    case
        when invited_count > 0 then 'invitations'
        when eligible_order_count > 0 then 'eligible_orders'
    end as denominator_basis,
    cast(completed_count as double) / nullif(denominator, 0) as response_rate,
    {{ wilson_bound("completed_count", "denominator", "low") }} as ci_low,
    {{ wilson_bound("completed_count", "denominator", "high") }} as ci_high,
    cast(completed_count as double) / nullif(started_count, 0) as completion_rate
from based
