-- One row per survey measure, day, touchpoint, customer segment and channel: the same answers as in
-- int_survey_counted_daily, grouped by who was asked, where and how.
{{ config(
    materialized="patched", patched_by="int_survey_days_touched", partition=["date_day"]
) }}

with answers as (

    {{ answers_to_count() }}

)

select
    measure_code,
    date_day,
    touchpoint_code,
    segment,
    channel,
    {{ survey_counts() }}
from answers
group by measure_code, date_day, touchpoint_code, segment, channel
