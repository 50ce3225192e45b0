-- Responses by employees about themselves: the loyalty card or the device is that of the person
-- credited.
{{ config(materialized="view") }}

with responses as (

    select * from {{ ref("int_responses_credited") }}

),

thresholds as (

    select * from {{ ref("survey_thresholds") }}

),

identifiers as (

    select * from {{ ref("staff_identifiers") }}

)

select distinct
    responses.response_id,
    'own_sale' as screen_code
from responses
inner join thresholds
    on
        thresholds.rule_code = 'own_sale'
        and {{ in_force("thresholds", "responses.submitted_on") }}
inner join identifiers
    on
        responses.employee_id = identifiers.employee_id
        and (
            (
                identifiers.identifier_type = 'device'
                and responses.device_id = identifiers.identifier
            )
            or (
                identifiers.identifier_type = 'customer'
                and responses.customer_id = identifiers.identifier
            )
        )
        and {{ in_force("identifiers", "responses.submitted_on") }}
where responses.exclusion_reason is null
