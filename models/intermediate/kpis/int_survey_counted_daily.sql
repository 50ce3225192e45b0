-- One row per survey measure, day and credit (store, region, department, employee): counts from
-- which every period and level is summed. Only the days that changed are counted again. Days lie
-- together, so that few blocks hold a month.
{{ config(
    materialized="patched", patched_by="int_survey_days_touched", partition=["date_day"]
) }}

with answers as (

    {{ answers_to_count() }}

)

select
    measure_code,
    date_day,
    store_id,
    region,
    department_code,
    employee_id,
    {{ survey_counts() }}
from answers
group by measure_code, date_day, store_id, region, department_code, employee_id
order by date_day
