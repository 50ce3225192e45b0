"""Gate rules of ``core.survey_answers``."""

from expectations.rules import Rule, rows_check
from expectations.shared_rules import (
    are_fresh,
    did_not_shrink,
    excluded_share_is_small,
    no_day_was_lost,
    rows_reconcile_with_raw,
    shares_have_not_drifted,
    volume_is_in_season,
)

RULES = (
    Rule(
        "survey_answers.rows_reconcile_with_raw",
        """
        select rows_in as checked, abs(rows_in - rows_out) as failed, rows_out as observed
        from (
            select count(*) as rows_in
            from (select 1 from warehouse.raw.survey__answers group by response_id, question_code)
        )
        cross join (select count(*) as rows_out from marts.core.survey_answers)
        """,
    ),
    Rule(
        "survey_answers.scores_reconcile_with_raw",
        """
        select rows_in as checked, case when scores_in = scores_out and texts_in = texts_out then 0 else 1 end as failed,
               scores_out - scores_in as observed
        from (
            select count(*) as rows_in, coalesce(sum(score), 0) as scores_in, count(answer_text) as texts_in
            from (
                select max_by([score], (_delivery_key, _line_no))[1] as score,
                       max_by([answer_text], (_delivery_key, _line_no))[1] as answer_text
                from warehouse.raw.survey__answers group by response_id, question_code
            )
        )
        cross join (
            select coalesce(sum(score), 0) as scores_out, count(answer_text) as texts_out from marts.core.survey_answers
        )
        """,
    ),
    rows_reconcile_with_raw("survey_responses", "survey__responses", key="response_id"),
    # Exact but for those of the first day of the calendar and, within the day, those that are to go out later that day: where
    # the company's day begins, raw does not say.
    rows_check(
        "response_funnel.invited_reconcile_with_raw",
        """
        select survey_code, channel, at_least, at_most, invited
        from (
            select survey_code, channel,
                   count(*) filter (where sent_at between first_day + interval 1 day and known_until) as at_least,
                   count(*) filter (
                       where sent_at between first_day - interval 1 day and known_until + interval 1 day
                   ) as at_most
            from (
                select unnest(max_by(
                    {'survey_code': survey_code, 'channel': channel, 'sent_at': sent_at}, (_delivery_key, _line_no)
                ))
                from warehouse.raw.survey__invitations group by invitation_id
            )
            cross join warehouse.control.night
            cross join (select min(date_day) as first_day from marts.core.calendar)
            group by survey_code, channel
        )
        full join (
            select survey_code, channel, sum(invited_count) as invited
            from marts.voice.response_funnel where level = 'company' group by survey_code, channel
        ) using (survey_code, channel)
        where not coalesce(invited, 0) between coalesce(at_least, 0) and coalesce(at_most, 0)
        """,
        "select count(*) from marts.voice.response_funnel",
    ),
    rows_check(
        "survey_answers.are_there_once",
        """
        select response_id, question_code, count(*) as times from marts.core.survey_answers
        group by response_id, question_code having count(*) > 1
        """,
        "select count(*) from marts.core.survey_answers",
    ),
    rows_check(
        "survey_answers.lie_on_their_scale",
        """
        select answers.response_id, answers.question_code, answers.score, answers.is_top_box, answers.is_bottom_box
        from marts.core.survey_answers as answers
        left join warehouse.mappings.survey_questions as questions
            on questions.question_code = answers.question_code and questions.valid_from <= answers.submitted_on
            and answers.submitted_on < coalesce(questions.valid_to, date '9999-12-31')
        where answers.exclusion_reason is null and answers.measure_code is not null
          and not coalesce(
              answers.score between questions.scale_min and questions.scale_max
              and (questions.is_reversed or answers.is_top_box = (answers.score >= questions.top_box_min))
              and (questions.is_reversed or answers.is_bottom_box = (answers.score <= questions.bottom_box_max)),
              false
          )
        """,
        "select count(*) from marts.core.survey_answers",
    ),
    rows_check(
        "survey_answers.counted_are_not_in_the_future",
        """
        select response_id, question_code, submitted_on
        from marts.core.survey_answers cross join warehouse.control.night
        where exclusion_reason is null and submitted_on > as_of
        """,
        "select count(*) from marts.core.survey_answers",
    ),
    excluded_share_is_small("survey_answers", day="submitted_on"),
    are_fresh("survey_answers", day="submitted_on"),
    did_not_shrink("survey_answers", schema="core"),
    no_day_was_lost("survey_answers", day="submitted_on"),
)

PAY_RULES = (
    volume_is_in_season("survey_answers", day="submitted_on"),
    shares_have_not_drifted(
        "scores_have_not_drifted",
        "survey_answers",
        day="submitted_on",
        part="measure_code",
        bucket="score",
        where="exclusion_reason is null and measure_code is not null",
    ),
)
