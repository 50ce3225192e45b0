-- One row per day, credit and touchpoint of service tickets with a standard: tickets, and those of
-- them answered in time. A ticket counts once its time is up: on the day it was opened, unless its
-- standard runs beyond the night's day and nobody has answered yet.
with tickets as (

    select
        *,
        {{ local_day("opened_at") }} as opened_on
    from {{ ref("stg_service__tickets") }}

),

standards as (

    select * from {{ ref("service_standards") }}

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
        segment
    from {{ ref("stg_sales__customers") }}

),

assignments as (

    select * from {{ ref("int_assignments_bounded") }}

),

night as (

    select as_of from {{ source("control", "night") }}

),

judged as (

    select
        tickets.opened_on,
        tickets.channel,
        tickets.store_id,
        stores.region,
        tickets.employee_id,
        coalesce(assignments.department_code, tickets.department_code) as department_code,
        standards.touchpoint_code,
        customers.segment,
        case
            when
                {{ dbt.datediff("tickets.opened_at", "tickets.first_response_at", "second") }}
                <= standards.first_response_minutes * 60
                then 1
            else 0
        end as in_time,
        case
            when tickets.opened_on > night.as_of then 0
            when tickets.first_response_at is null and tickets.opened_on = night.as_of then 0
            else 1
        end as counted
    from tickets
    inner join standards
        on
            tickets.channel = standards.channel
            and {{ in_force("standards", "tickets.opened_on") }}
    cross join night
    left join stores
        on tickets.store_id = stores.store_id
    left join customers
        on tickets.customer_id = customers.customer_id
    left join assignments
        on
            tickets.employee_id = assignments.employee_id
            and {{ in_force("assignments", "tickets.opened_on") }}

)

select
    'service_level' as measure_code,
    opened_on as date_day,
    store_id,
    region,
    department_code,
    employee_id,
    touchpoint_code,
    segment,
    channel,
    cast(sum(counted * in_time) as decimal(28, 4)) as numerator,
    cast(sum(counted) as decimal(28, 4)) as denominator,
    cast(sum(counted) as bigint) as n,
    cast(sum(counted * in_time) as bigint) as favourable_count,
    cast(sum(1 - counted) as bigint) as excluded_count,
    cast(sum(case when employee_id is null then counted else 0 end) as bigint) as uncredited_count
from judged
group by
    opened_on,
    store_id,
    region,
    department_code,
    employee_id,
    touchpoint_code,
    segment,
    channel
