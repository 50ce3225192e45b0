{{ config(materialized="view") }}

select
    period_type,
    period_start,
    level,
    entity_id,
    from_touchpoint,
    to_touchpoint,
    transition_count,
    transition_ratio,
    open_count,
    median_seconds,
    median_business_seconds
from {{ ref("int_transitions_counted") }}
