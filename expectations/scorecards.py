"""Gate rules of ``scorecard.scorecards`` and its lines."""

from expectations.rules import Rule, rows_check

RULES = (
    Rule(
        "scorecards.cover_everybody_with_a_template",
        """
        select count(*) as checked, count(*) filter (where scorecards.entity_id is null) as failed,
               count(scorecards.entity_id) as observed
        from (
            select subjects.level, subjects.entity_id, subjects.period_type, subjects.period_start
            from warehouse.intermediate.int_scorecard_subjects_listed as subjects
            where subjects.is_main_part and exists (
                select 1 from warehouse.policy.scorecard_templates as templates
                where templates.subject_type = subjects.level
                and templates.subject_code in (subjects.subject_code, '*')
                and templates.period_type = subjects.period_type and templates.valid_from <= subjects.period_start
                and subjects.period_start < coalesce(templates.valid_to, date '9999-12-31')
            )
            union
            select 'employee', parts.employee_id, parts.period_type, parts.period_start
            from (
                select * from warehouse.intermediate.int_assignments_parted
                qualify row_number() over (
                    partition by employee_id, period_type, period_start
                    order by part_end - part_start desc, part_no desc
                ) = 1
            ) as parts
            inner join warehouse.policy.scorecard_templates as templates
                on templates.subject_type = 'employee' and templates.subject_code = parts.job_role
                and templates.period_type = parts.period_type and templates.valid_from <= parts.period_start
                and parts.period_start < coalesce(templates.valid_to, date '9999-12-31')
        ) as subjects
        left join marts.scorecard.scorecards as scorecards using (level, entity_id, period_type, period_start)
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
    # Of the newest month and the newest quarter that are over: in one that has begun few have results yet, and in all of
    # history a month without scores is no share at all.
    Rule(
        "scorecards.are_mostly_scored",
        """
        select (select count(*) from marts.scorecard.scorecards) as checked,
               coalesce(max(unscored) filter (where unscored > $threshold::decimal(18, 4) * scorecards), 0) as failed,
               max(unscored / scorecards) as observed
        from (
            select count(*) as scorecards, count(*) filter (where score is null) as unscored
            from marts.scorecard.scorecards where is_complete
            group by period_type, period_start
            qualify row_number() over (partition by period_type order by period_start desc) = 1
        )
        """,
        has_threshold=True,
        version=2,
    ),
    rows_check(
        "scorecard_lines.use_the_published_results",
        """
        select lines.level, lines.entity_id, lines.period_type, lines.period_start, lines.measure_code, lines.value,
               results.value as published_value
        from marts.scorecard.scorecard_lines as lines
        left join marts.kpi.kpi_results as results
            on results.measure_code = lines.measure_code and results.level = lines.measured_level
            and results.entity_id = lines.measured_entity_id and results.period_type = lines.period_type
            and results.period_start = lines.period_start
        where lines.status = 'scored' and lines.value is distinct from results.value
        """,
        "select count(*) from marts.scorecard.scorecard_lines",
    ),
    rows_check(
        "scorecard_lines.weigh_one",
        """
        select level, entity_id, period_type, period_start, sum(effective_weight) as weight
        from marts.scorecard.scorecard_lines
        group by level, entity_id, period_type, period_start
        having sum(effective_weight) <> 0 and abs(sum(effective_weight) - 1) > 0.000001
        """,
        "select count(*) from marts.scorecard.scorecard_lines",
    ),
)
