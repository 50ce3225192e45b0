-- One row per customer: the stamp of everything the customer's journeys were made from. Built after
-- all of them.
-- depends_on: {{ ref("int_touches_sequenced") }}
-- depends_on: {{ ref("int_journeys_summed") }}
{{ config(
    materialized="patched",
    patched_by="int_journey_customers_touched",
    partition=["customer_id"],
) }}

select
    customer_id,
    customer_stamp
from {{ ref("int_journey_customers_touched") }}
where customer_stamp is not null
