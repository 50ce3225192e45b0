-- One row per journey. Its store is that of its first order, else of its first touch in a store; it
-- belongs to the month and quarter it begins in. It is open while a next touch could still join it.
{{ config(
    materialized="patched",
    patched_by="int_journey_customers_touched",
    partition=["customer_id"],
) }}
{% set first_steps = 8 %}

with touches as (

    select touches.*
    from {{ ref("int_touches_sequenced") }} as touches
    inner join {{ ref("int_journey_customers_touched") }} as touched
        on touches.customer_id = touched.customer_id

),

-- Most journeys are short: their first touchpoints are picked by number, and only what comes after
-- them is put in order.
summed as (

    select
        journey_id,
        min(customer_id) as customer_id,
        min(segment) as segment,
        min(acquisition_channel) as acquisition_channel,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        min(occurred_on) as started_on,
        max(occurred_on) as ended_on,
        count(*) as event_count,
        count(distinct touchpoint_code) as touchpoint_count,
        count(order_amount) as order_count,
        cast(coalesce(sum(order_amount), 0) as decimal(28, 4)) as order_amount,
        count(*) filter (where is_rework) as rework_count,
        sum(business_seconds_to_next) as business_seconds,
        sum({{ row_stamp([
            "event_no", "touchpoint_code", "seconds_to_next", "business_seconds_to_next"
        ]) }}) as moves_stamp,
        min(event_no) filter (where order_amount is not null) as first_order_no,
        min(event_no) filter (where store_id is not null) as first_store_no,
        {% for stage in ["contact", "purchase", "use", "after_sales"] %}
        coalesce(bool_or(stage_code = '{{ stage }}'), false) as has_{{ stage }},
        {% endfor %}
        {% for step in range(1, first_steps + 1) %}
        min(touchpoint_code) filter (where event_no = {{ step }}) as step_{{ step }},
        {% endfor %}
        {{ join_in_order(
            "touchpoint_code", " > ", ["event_no"], only="event_no > " ~ first_steps
        ) }} as further_steps
    from touches
    group by journey_id

),

stores as (

    select
        summed.journey_id,
        touches.store_id,
        touches.region
    from summed
    inner join touches
        on
            summed.journey_id = touches.journey_id
            and coalesce(summed.first_order_no, summed.first_store_no) = touches.event_no

),

night as (

    select as_of from {{ source("control", "night") }}

)

select
    summed.journey_id,
    summed.customer_id,
    summed.segment,
    summed.acquisition_channel,
    stores.store_id,
    stores.region,
    summed.started_at,
    summed.ended_at,
    summed.started_on,
    summed.ended_on,
    coalesce(
        days.month_start, cast({{ dbt.date_trunc("month", "summed.started_on") }} as date)
    ) as month_start,
    coalesce(
        days.quarter_start, cast({{ dbt.date_trunc("quarter", "summed.started_on") }} as date)
    ) as quarter_start,
    summed.event_count,
    summed.touchpoint_count,
    summed.order_count,
    summed.order_amount,
    summed.rework_count,
    {{ dbt.datediff("summed.started_at", "summed.ended_at", "second") }} as calendar_seconds,
    cast(coalesce(summed.business_seconds, 0) as bigint) as business_seconds,
    summed.step_1 as first_touchpoint_code,
    summed.has_contact,
    summed.has_purchase,
    summed.has_use,
    summed.has_after_sales,
    case
        when summed.has_after_sales then 'after_sales'
        when summed.has_use then 'use'
        when summed.has_purchase then 'purchase'
        when summed.has_contact then 'contact'
    end as furthest_stage,
    {{ days_between("summed.ended_on", "night.as_of") }} * 86400 <= gaps.gap_seconds as is_open,
    concat_ws(
        ' > '
        {%- for step in range(1, first_steps + 1) %}, summed.step_{{ step }}{% endfor -%}
        , summed.further_steps
    ) as path,
    summed.moves_stamp
from summed
cross join night
inner join {{ ref("int_journey_gaps_dated") }} as gaps
    on {{ in_force("gaps", "night.as_of") }}
left join stores
    on summed.journey_id = stores.journey_id
left join {{ ref("int_days_dated") }} as days
    on summed.started_on = days.date_day
