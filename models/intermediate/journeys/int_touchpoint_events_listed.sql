-- One row per thing that the health of a touchpoint counts, in its period: a touch and what became
-- of it, an answer, a complaint, a service standard kept or not. Touches count on their day,
-- answers on theirs.
{{ config(materialized="view") }}

with sequenced as (

    select * from {{ ref("int_touches_sequenced") }}

),

unlinked as (

    select * from {{ ref("int_touches_linked") }}
    where customer_id is null and exclusion_reason is null

),

open_journeys as (

    select journey_id from {{ ref("int_journeys_summed") }}
    where is_open

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

)

select
    sequenced.month_start,
    sequenced.quarter_start,
    sequenced.touchpoint_code,
    sequenced.store_id,
    sequenced.region,
    sequenced.segment,
    1 as touches,
    0 as unlinked,
    case when open_journeys.journey_id is null then 1 else 0 end as settled,
    case
        when open_journeys.journey_id is null and sequenced.next_touchpoint_code is null then 1
        else 0
    end as dropped,
    case when sequenced.is_rework then 1 else 0 end as rework,
    sequenced.seconds_to_next,
    sequenced.business_seconds_to_next,
    sequenced.customer_id,
    sequenced.journey_id,
    cast(null as {{ dbt.type_string() }}) as measure_code,
    0 as good,
    0 as bad,
    0 as complaints,
    0 as standards,
    0 as delays
from sequenced
left join open_journeys
    on sequenced.journey_id = open_journeys.journey_id
union all
select
    month_start,
    quarter_start,
    touchpoint_code,
    store_id,
    region,
    segment,
    1 as touches,
    1 as unlinked,
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
    0 as complaints,
    0 as standards,
    0 as delays
from unlinked
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
