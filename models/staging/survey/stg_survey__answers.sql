with latest as (

    {{ latest_version(
        source("survey", "answers"), ["response_id", "question_code"], first_of="score"
    ) }}

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
