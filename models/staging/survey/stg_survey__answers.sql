with source as (

    select * from {{ source("survey", "answers") }}

),

latest as (

    {{ latest_version("source", ["response_id", "question_code"]) }}

)

select
    response_id,
    question_code,
    score,
    answer_text,
    _file_id as file_id,
    _line_no as file_line_no
from latest
