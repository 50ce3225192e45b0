"""Gate rules of ``kpi.kpi_results``."""

from expectations.rules import Rule
from expectations.shared_rules import did_not_shrink

RULES = (
    Rule(
        "kpi_results.revenue_reconciles_with_order_lines",
        """
        select lines as checked, case when revenue = amount then 0 else 1 end as failed, revenue - amount as observed
        from (
            select count(*) as lines, coalesce(sum(line_amount), 0) as amount
            from marts.core.order_lines where exclusion_reason is null
        )
        cross join (
            select coalesce(sum(numerator), 0) as revenue from marts.kpi.kpi_results
            where measure_code = 'revenue' and level = 'company' and period_type = 'month' and origin = 'computed'
        )
        """,
    ),
    Rule(
        "kpi_results.answers_reconcile_with_survey_answers",
        """
        select count(*) + (select count(*) from marts.kpi.kpi_results) as checked,
               count(*) filter (where answers is distinct from n) as failed, count(*) as observed
        from (
            select measure_code, count(*) filter (where exclusion_reason is null) as answers
            from marts.core.survey_answers
            where measure_code in (select measure_code from marts.kpi.kpi_results) and submitted_on is not null
            group by measure_code
        )
        full join (
            select measure_code, sum(n) as n from marts.kpi.kpi_results
            where level = 'company' and period_type = 'month' and origin = 'computed'
              and measure_code in (select measure_code from marts.core.survey_answers)
            group by measure_code
        ) using (measure_code)
        """,
    ),
    Rule(
        "kpi_results.values_lie_within_their_scale",
        """
        select count(*) as checked,
               count(*) filter (where not (
                   case units.unit
                       when 'ratio' then results.value >= 0 and (results.value <= 1 or results.measure_code = 'return_rate')
                       when 'points' then results.value between -100 and 100
                       when 'count' then results.value >= 0
                       else true
                   end
                   and coalesce(results.ci_low <= results.value + 1e-9 and results.value <= results.ci_high + 1e-9, true)
                   or units.unit = 'points' and results.value between -100 and 100
               )) as failed,
               count(distinct results.measure_code) as observed
        from marts.kpi.kpi_results as results
        inner join (select distinct measure_code, unit from warehouse.policy.measures) as units using (measure_code)
        where results.value is not null
        """,
    ),
    did_not_shrink("kpi_results", schema="kpi"),
)
