-- One row per period, level, entity and touchpoint: touches, what became of them, and answers about
-- them, as sums. Touches count on their day, answers on theirs.
with touches as (

    select * from {{ ref("int_touches_linked") }}
    where exclusion_reason is null

),

sequenced as (

    select * from {{ ref("int_touches_sequenced") }}

),

journeys as (

    select
        journey_id,
        is_open
    from {{ ref("int_journeys_summed") }}

),

days as (

    select * from {{ ref("int_days_dated") }}

),

answers as (

    select * from {{ ref("int_answers_scored") }}
    where
        measure_code in ('csat', 'nps', 'ces')
        and exclusion_reason is null
        and touchpoint_code is not null

),

experiences as (

    select * from {{ ref("int_experiences_gathered") }}
    where evidence_kind in ('ticket', 'delay')

),

stores as (

    select
        store_id,
        region
    from {{ ref("stg_sales__stores") }}

),

customers as (

    select
        customer_id,
        coalesce(segment, 'unknown') as segment
    from {{ ref("stg_sales__customers") }}

),

counted as (

    select
        touches.month_start,
        touches.quarter_start,
        touches.touchpoint_code,
        touches.store_id,
        touches.region,
        touches.segment,
        1 as touches,
        case when touches.customer_id is null then 1 else 0 end as unlinked,
        case when sequenced.event_id is not null and not journeys.is_open then 1 else 0 end
            as settled,
        case
            when
                sequenced.event_id is not null
                and not journeys.is_open
                and sequenced.next_touchpoint_code is null
                then 1
            else 0
        end as dropped,
        case when sequenced.is_rework then 1 else 0 end as rework,
        sequenced.seconds_to_next,
        sequenced.business_seconds_to_next,
        touches.customer_id,
        sequenced.journey_id,
        cast(null as {{ dbt.type_string() }}) as measure_code,
        0 as good,
        0 as bad,
        0 as complaints,
        0 as standards,
        0 as delays
    from touches
    left join sequenced
        on touches.event_id = sequenced.event_id
    left join journeys
        on sequenced.journey_id = journeys.journey_id
    union all
    select
        days.month_start,
        days.quarter_start,
        answers.touchpoint_code,
        answers.store_id,
        answers.region,
        case when answers.customer_id is not null then coalesce(answers.segment, 'unknown') end
            as segment,
        0 as touches,
        0 as unlinked,
        0 as settled,
        0 as dropped,
        0 as rework,
        null as seconds_to_next,
        null as business_seconds_to_next,
        null as customer_id,
        null as journey_id,
        answers.measure_code,
        case when answers.is_top_box then 1 else 0 end as good,
        case when answers.is_bottom_box then 1 else 0 end as bad,
        0 as complaints,
        0 as standards,
        0 as delays
    from answers
    inner join days
        on answers.submitted_on = days.date_day
    union all
    select
        days.month_start,
        days.quarter_start,
        experiences.touchpoint_code,
        experiences.store_id,
        stores.region,
        customers.segment,
        0 as touches,
        0 as unlinked,
        0 as settled,
        0 as dropped,
        0 as rework,
        null as seconds_to_next,
        null as business_seconds_to_next,
        null as customer_id,
        null as journey_id,
        null as measure_code,
        0 as good,
        0 as bad,
        case when experiences.evidence_kind = 'ticket' then 1 else 0 end as complaints,
        case when experiences.evidence_kind = 'delay' then 1 else 0 end as standards,
        case when experiences.evidence_kind = 'delay' and experiences.is_bad then 1 else 0 end
            as delays
    from experiences
    inner join days
        on experiences.known_on = days.date_day
    left join stores
        on experiences.store_id = stores.store_id
    left join customers
        on experiences.customer_id = customers.customer_id

),

summed as (

    {% for period_type in ["month", "quarter"] %}
    {% set is_last_period = loop.last %}
    {% for level, entity in journey_levels().items() %}
    select
        '{{ period_type }}' as period_type,
        {{ period_type }}_start as period_start,
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
    from counted
    where {{ entity }} is not null
    group by {{ entity ~ "," if level != "company" }} {{ period_type }}_start, touchpoint_code
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
