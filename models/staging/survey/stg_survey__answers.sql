with source as (

    select
        *,
        first_value(score) over (
            partition by response_id, question_code
            order by _delivery_key, _line_no, _file_id
        ) as first_score,
        count(*) over (partition by response_id, question_code) as version_count
    from {{ source("survey", "answers") }}

),

latest as (

    {{ latest_version("source", ["response_id", "question_code"]) }}

)

select
    response_id,
    question_code,
    score,
    answer_text,
    first_score,
    version_count,
    _file_id as file_id,
    _line_no as file_line_no
from latest
