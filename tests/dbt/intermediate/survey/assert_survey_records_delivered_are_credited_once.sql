-- Every invitation, response and answer delivered is in its model once: none lost in a join, none
-- doubled by one.
{{ config(meta={"dagster": {"ref": {"name": "int_answers_scored"}}}) }}

{% set records = {
    "invitations": ("int_invitations_credited", "invitation_id"),
    "responses": ("int_responses_credited", "response_id"),
    "answers": ("int_answers_scored", "response_id, question_code"),
} %}

with counts as (

    {% for extract, (model, key) in records.items() %}
    select
        '{{ extract }}' as extract_name,
        (
            select count(*)
            from (select distinct {{ key }} from {{ source("survey", extract) }}) as delivered
        ) as delivered_count,
        (select count(*) from {{ ref(model) }}) as credited_count
    {{ "union all" if not loop.last }}
    {% endfor %}

)

select *
from counts
where delivered_count != credited_count
