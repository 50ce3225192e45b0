-- One row per day with survey answers: the stamp of the answers its counts were made from. Built
-- after all counts of the day.
-- depends_on: {{ ref("int_survey_counted_daily") }}
-- depends_on: {{ ref("int_survey_audiences_counted_daily") }}
-- depends_on: {{ ref("int_cx_pairs_counted_daily") }}
{{ config(
    materialized="patched", patched_by="int_survey_days_touched", partition=["date_day"]
) }}

select
    date_day,
    day_stamp
from {{ ref("int_survey_days_touched") }}
where day_stamp is not null
