-- On every day on which a question can have bad answers, a rule for all channels and scores says when
-- their cases are due.
with days as (

    select valid_from as day from survey_questions where bottom_box_max is not null
    union
    select valid_to as day from feedback_case_rules where valid_to is not null

),

questioned as (

    select distinct days.day
    from days
    inner join survey_questions as questions
        on
            questions.bottom_box_max is not null
            and days.day >= questions.valid_from
            and days.day < coalesce(questions.valid_to, date '9999-12-31')

),

covered as (

    select
        questioned.day,
        count(rules.seed_line) as rule_count
    from questioned
    left join feedback_case_rules as rules
        on
            rules.channel = '*'
            and rules.score_at_most_pct = 100
            and questioned.day >= rules.valid_from
            and questioned.day < coalesce(rules.valid_to, date '9999-12-31')
    group by questioned.day

)

select
    'policy/feedback_case_rules' as seed,
    1 as seed_line,
    concat(
        'no row of channel * with score_at_most_pct 100 governs ', day,
        ': bad answers of that day would have no owner and no time'
    ) as problem
from covered
where rule_count = 0
