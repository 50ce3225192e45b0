"""Gate rules of ``scorecard.scorecards`` and its lines."""

from expectations.rules import Rule

RULES = (
    Rule(
        "scorecards.cover_everybody_with_a_template",
        """
        select count(*) as checked, count(*) filter (where scorecards.entity_id is null) as failed,
               count(scorecards.entity_id) as observed
        from (
            select distinct parts.employee_id, parts.period_type, parts.period_start
            from warehouse.intermediate.int_assignments_parted as parts
            inner join warehouse.policy.scorecard_templates as templates
                on templates.subject_type = 'employee' and templates.subject_code = parts.job_role
                and templates.period_type = parts.period_type and templates.valid_from <= parts.period_start
                and parts.period_start < coalesce(templates.valid_to, date '9999-12-31')
            qualify row_number() over (
                partition by parts.employee_id, parts.period_type, parts.period_start
                order by parts.part_end - parts.part_start desc, parts.part_no desc
            ) = 1
        ) as people
        left join marts.scorecard.scorecards as scorecards
            on scorecards.level = 'employee' and scorecards.entity_id = people.employee_id
            and scorecards.period_type = people.period_type and scorecards.period_start = people.period_start
        """,
    ),
    # Weights as published carry twelve decimals: what their rounding can move is far below a tenth of a millionth.
    Rule(
        "scorecards.equal_the_sum_of_their_lines",
        """
        select count(*) as checked,
               count(*) filter (
                   where (scorecards.score is null) != (lines.score is null)
                   or abs(scorecards.score - lines.score) > 0.00000005
               ) as failed,
               avg(scorecards.score) as observed
        from marts.scorecard.scorecards as scorecards
        left join (
            select level, entity_id, period_type, period_start,
                   case when sum(effective_weight) > 0 then sum(contribution) end as score
            from marts.scorecard.scorecard_lines group by all
        ) as lines using (level, entity_id, period_type, period_start)
        """,
    ),
    Rule(
        "scorecards.are_mostly_scored",
        """
        select count(*) as checked,
               case when count(*) filter (where score is null) > $threshold::decimal(18, 4) * count(*)
                    then count(*) filter (where score is null) else 0 end as failed,
               count(*) filter (where score is null) / nullif(count(*), 0) as observed
        from marts.scorecard.scorecards
        """,
        has_threshold=True,
    ),
)
