-- What the sources delivered is in journey.events once, and every event is in the journey it names,
-- anonymous, or excluded with a reason.
with delivered as (

    select count(*) as records from {{ ref("stg_service__interactions") }}
    union all
    select count(*) as records from {{ ref("int_orders_summed") }}
    union all
    select count(*) as records from {{ ref("int_returns_credited") }}
    union all
    select count(*) as records from {{ ref("stg_service__tickets") }}

),

counted as (

    select
        (select sum(records) from delivered) as delivered,
        (select sum(record_count) from {{ ref("events") }}) as records,
        (select count(*) from {{ ref("events") }}) as events,
        (select sum(event_count) from {{ ref("journeys") }}) as in_journeys,
        (
            select count(*) from {{ ref("events") }}
            where customer_id is null and exclusion_reason is null
        ) as unlinked,
        (
            select count(*) from {{ ref("events") }}
            where exclusion_reason is not null
        ) as excluded

)

select *
from counted
where
    coalesce(records, 0) != delivered
    or coalesce(in_journeys, 0) + unlinked + excluded != events
