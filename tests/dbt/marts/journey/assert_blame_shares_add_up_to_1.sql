-- Every outcome is divided, exactly and once; every answer of a detractor that counts is one.
select
    outcomes.outcome_id,
    sum(split.share) as share
from {{ ref("outcomes") }} as outcomes
full outer join {{ ref("blame_split") }} as split
    on outcomes.outcome_id = split.outcome_id
group by outcomes.outcome_id
having coalesce(sum(split.share), 0) != 1 or outcomes.outcome_id is null
union all
select
    answers.response_id as outcome_id,
    null as share
from {{ ref("int_answers_scored") }} as answers
left join {{ ref("outcomes") }} as outcomes
    on outcomes.outcome_id = concat('detractor/', answers.response_id, '/', answers.question_code)
where
    answers.measure_code = 'nps'
    and answers.is_bottom_box
    and answers.exclusion_reason is null
    and outcomes.outcome_id is null
