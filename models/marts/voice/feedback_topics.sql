with topics as (

    select * from {{ ref("int_answers_topiced") }}

),

answers as (

    select * from {{ ref("int_answers_scored") }}

),

moods as (

    select
        response_id,
        max(case when is_bottom_box then 1 else 0 end) = 1 as is_unhappy,
        max(case when is_top_box then 1 else 0 end) = 1 as has_top_box
    from answers
    where measure_code is not null and exclusion_reason is null
    group by response_id

)

select
    topics.response_id,
    topics.question_code,
    topics.topic_code,
    topics.polarity,
    cast(topics.mention_count as bigint) as mention_count,
    case
        when moods.is_unhappy then 'unhappy'
        when moods.has_top_box then 'happy'
        when moods.response_id is not null then 'neutral'
    end as customer_mood,
    answers.submitted_on,
    answers.language,
    answers.survey_code,
    answers.channel,
    answers.touchpoint_code,
    answers.store_id,
    answers.region,
    answers.department_code,
    answers.employee_id,
    answers.customer_id,
    answers.exclusion_reason
from topics
inner join answers
    on
        topics.response_id = answers.response_id
        and topics.question_code = answers.question_code
left join moods
    on topics.response_id = moods.response_id
