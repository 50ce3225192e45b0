-- One row per text answer and topic it speaks of, with whether it praises or blames. A topic is
-- judged by its own words; where those only name it, by the words of praise and blame beside them.
-- An answer in which no topic is found has one row, topic `other`: nothing that was said is lost.
with answers as (

    select
        response_id,
        question_code,
        answer_text,
        submitted_on
    from {{ ref("int_answers_scored") }}
    where answer_text is not null and submitted_on is not null

),

terms as (

    select
        *,
        {{ fold_term("term") }} as folded_term
    from {{ ref("feedback_terms") }}

),

dictionary as (

    select
        {{ join_entries("case when polarity = 'negator' then concat('!', term) else term end") }}
            as entries
    from terms

),

-- The same sentence is written by many: each is read once.
texts as (

    select distinct answer_text from answers

),

exploded as (

    select
        texts.answer_text,
        {{ explode_feedback_terms("texts.answer_text", "dictionary.entries") }} as found
    from texts
    cross join dictionary

),

mentions as (

    select
        answers.response_id,
        answers.question_code,
        terms.topic_code,
        case terms.polarity when 'positive' then 1 when 'negative' then -1 else 0 end
        * case when exploded.found.is_negated then -1 else 1 end as sign
    from answers
    inner join exploded
        on answers.answer_text = exploded.answer_text
    inner join terms
        on
            exploded.found.term = terms.folded_term
            and terms.polarity != 'negator'
            and {{ in_force("terms", "answers.submitted_on") }}

),

judged as (

    select
        response_id,
        question_code,
        topic_code,
        count(*) as mention_count,
        count(*) filter (where sign > 0) as praise_count,
        count(*) filter (where sign < 0) as blame_count
    from mentions
    group by response_id, question_code, topic_code

),

-- Praise and blame that name no topic.
moods as (

    select * from judged
    where topic_code is null

),

topics as (

    select * from judged
    where topic_code is not null

),

placed as (

    select
        answers.response_id,
        answers.question_code,
        coalesce(topics.topic_code, 'other') as topic_code,
        coalesce(topics.mention_count, 0) as mention_count,
        case
            when topics.praise_count + topics.blame_count > 0 then topics.praise_count
            else coalesce(moods.praise_count, 0)
        end as praise_count,
        case
            when topics.praise_count + topics.blame_count > 0 then topics.blame_count
            else coalesce(moods.blame_count, 0)
        end as blame_count
    from answers
    left join topics
        on
            answers.response_id = topics.response_id
            and answers.question_code = topics.question_code
    left join moods
        on
            answers.response_id = moods.response_id
            and answers.question_code = moods.question_code

)

select
    response_id,
    question_code,
    topic_code,
    mention_count,
    case
        when praise_count > 0 and blame_count > 0 then 'mixed'
        when praise_count > 0 then 'positive'
        when blame_count > 0 then 'negative'
        else 'neutral'
    end as polarity
from placed
