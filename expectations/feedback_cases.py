"""Gate rules of ``voice.feedback_cases``."""

from expectations.rules import rows_check

_COUNT = "select count(*) from marts.core.survey_answers where measure_code is not null"

RULES = (
    rows_check(
        "feedback_cases.are_those_of_bad_answers",
        """
        select answers.response_id as answered, answers.question_code, cases.case_id, count(cases.case_id) as times
        from (
            select response_id, question_code, is_bottom_box, exclusion_reason
            from marts.core.survey_answers where measure_code is not null
        ) as answers
        full join marts.voice.feedback_cases as cases
            on answers.response_id = cases.response_id and answers.question_code = cases.question_code
        group by all
        having answered is null or times > 1
            or times = 0 and bool_or(answers.is_bottom_box and answers.exclusion_reason is null)
            or times = 1 and cases.case_id is distinct from answered || ':' || answers.question_code
        """,
        _COUNT,
    ),
    # A bad answer that nobody answers for, or for which the time never runs out, is one that nobody looks into.
    rows_check(
        "feedback_cases.have_owner_and_time",
        """
        select case_id, owner_id, opened_at, due_at, severity from marts.voice.feedback_cases
        where owner_id is null or severity is null or not coalesce(due_at > opened_at, false)
        """,
        _COUNT,
    ),
    rows_check(
        "feedback_cases.are_in_the_state_of_their_hour",
        """
        select case_id, state, due_at, outcome_code, escalation_level, escalation_owner_id
        from marts.voice.feedback_cases cross join warehouse.control.night
        where not coalesce(
            case state
                when 'closed' then outcome_code is not null and escalation_level = 0
                when 'open' then outcome_code is null and due_at > known_until and escalation_level = 0
                when 'overdue' then outcome_code is null and due_at <= known_until and escalation_level = 0
                when 'escalated' then outcome_code is null and due_at <= known_until and escalation_level between 1 and 3
            end
            and (escalation_owner_id is not null) = (escalation_level > 0),
            false
        )
        """,
        _COUNT,
    ),
    rows_check(
        "feedback_cases.know_every_outcome",
        """
        select cases.case_id, cases.state, outcomes.handled_at
        from (
            select case_id, arg_max(handled_at, (_delivery_key, _line_no, _file_id)) as handled_at
            from warehouse.raw.service__case_outcomes group by case_id
        ) as outcomes
        inner join marts.voice.feedback_cases as cases using (case_id)
        cross join warehouse.control.night
        where outcomes.handled_at <= known_until and (state <> 'closed' or closed_at is distinct from outcomes.handled_at)
        """,
        _COUNT,
    ),
)
