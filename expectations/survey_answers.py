"""Gate rules of ``core.survey_answers``."""

from expectations.rules import Rule
from expectations.shared_rules import are_fresh, did_not_shrink, excluded_share_is_small

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
    excluded_share_is_small("survey_answers"),
    are_fresh("survey_answers", day="submitted_on"),
    did_not_shrink("survey_answers", schema="core"),
)
