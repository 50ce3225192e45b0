-- One row per month and quarter: the stamp of everything its transitions and touchpoints were
-- counted from. Built after both.
-- depends_on: {{ ref("int_transitions_counted") }}
-- depends_on: {{ ref("int_touchpoints_counted") }}
{{ config(
    materialized="patched",
    patched_by="int_journey_periods_touched",
    partition=["period_type", "period_start"],
) }}

select
    period_type,
    period_start,
    period_stamp
from {{ ref("int_journey_periods_touched") }}
where period_stamp is not null
