-- One row per day, credit, audience and where the denominator is from: invitations, and where there
-- is no invitation record eligible orders.
{{ config(materialized="view") }}

select
    measure_code,
    date_day,
    store_id,
    region,
    department_code,
    employee_id,
    touchpoint_code,
    segment,
    channel,
    numerator,
    denominator,
    n,
    favourable_count,
    excluded_count,
    uncredited_count
from {{ ref("int_invitations_counted_daily") }}
union all
select
    measure_code,
    date_day,
    store_id,
    region,
    department_code,
    employee_id,
    touchpoint_code,
    segment,
    channel,
    numerator,
    denominator,
    n,
    favourable_count,
    excluded_count,
    uncredited_count
from {{ ref("int_eligible_orders_counted_daily") }}
