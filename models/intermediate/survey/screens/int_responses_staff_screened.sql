-- Responses from a device of the store or on a loyalty card of staff. Whose device or card it is
-- may be known: a response about the very sale of its owner is another screen's.
{{ config(materialized="view") }}

with responses as (

    select * from {{ ref("int_responses_credited") }}

),

thresholds as (

    select * from {{ ref("survey_thresholds") }}

),

identifiers as (

    select * from {{ ref("staff_identifiers") }}

),

recognised as (

    {% for identifier, column in {"device": "device_id", "customer": "customer_id"}.items() %}
    select
        responses.response_id,
        responses.submitted_on,
        '{{ "staff_device" if identifier == "device" else "staff_card" }}' as screen_code
    from responses
    inner join identifiers
        on
            identifiers.identifier_type = '{{ identifier }}'
            and responses.{{ column }} = identifiers.identifier
            and {{ in_force("identifiers", "responses.submitted_on") }}
    where responses.exclusion_reason is null
    {{ "union all" if not loop.last }}
    {% endfor %}

)

select
    recognised.response_id,
    recognised.screen_code
from recognised
inner join thresholds
    on
        recognised.screen_code = thresholds.rule_code
        and {{ in_force("thresholds", "recognised.submitted_on") }}
