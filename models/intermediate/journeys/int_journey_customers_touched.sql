-- One row per customer of whom a touch is not as it was when the journeys were made: new,
-- corrected, linked otherwise or gone; or whose last journey could go on then and cannot any more;
-- or all, with another gap, other opening hours or other code. A touch that moves to another
-- customer touches the one it leaves and the one it comes to.
with touches as (

    select * from {{ ref("int_touches_linked") }}
    where customer_id is not null and exclusion_reason is null

),

night as (

    select as_of from {{ source("control", "night") }}

),

rules as (

    select coalesce(sum(stamp), 0) + {{ code_stamp() }} as rules_stamp
    from (
        select {{ row_stamp(["valid_from", "valid_to", "gap_seconds"]) }} as stamp
        from {{ ref("int_journey_gaps_dated") }}
        union all
        select
            {{ row_stamp(["open_days_per_week", "opening_second", "open_seconds_per_day"]) }}
                as stamp
        from {{ ref("int_journey_settings_listed") }}
    ) as stamps

),

current_gap as (

    select gaps.gap_seconds
    from {{ ref("int_journey_gaps_dated") }} as gaps
    inner join night
        on {{ in_force("gaps", "night.as_of") }}

),

summed as (

    select
        customer_id,
        max(occurred_on) as last_on,
        sum({{ row_stamp([
            "event_id", "occurred_at", "month_start", "quarter_start", "touchpoint_code",
            "stage_code", "segment", "acquisition_channel", "store_id", "region",
            "campaign_code", "order_id", "order_amount",
        ]) }}) as touches_stamp
    from touches
    group by customer_id

),

wanted as (

    select
        summed.customer_id,
        summed.touches_stamp
        + rules.rules_stamp
        + case
            when
                {{ days_between("summed.last_on", "night.as_of") }} * 86400
                <= current_gap.gap_seconds
                then 1
            else 0
        end as customer_stamp
    from summed
    cross join night
    cross join rules
    cross join current_gap

),

counted as (

    {{ stamps_in_book(
        "int_journey_customers_counted",
        ["int_touches_sequenced", "int_journeys_summed"],
        {"customer_id": "varchar"},
        "customer_stamp",
    ) }}

)

select
    coalesce(wanted.customer_id, counted.customer_id) as customer_id,
    cast(wanted.customer_stamp as decimal(38, 0)) as customer_stamp
from wanted
full outer join counted
    on wanted.customer_id = counted.customer_id
where wanted.customer_stamp is distinct from counted.customer_stamp
