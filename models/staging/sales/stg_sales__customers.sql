-- A table: more than ten models read it, and as a view each would look through every list again.
{{ config(materialized="table") }}

with source as (

    select * from {{ source("sales", "customers") }}

),

latest as (

    {{ latest_of_snapshots("source", ["customer_id"]) }}

)

select
    customer_id,
    registered_at,
    region,
    city,
    segment,
    acquisition_channel,
    contact,
    survey_consent,
    card_id,
    gone_on as closed_on,
    _file_id as file_id,
    _line_no as file_line_no
from latest
