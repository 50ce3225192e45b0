"""Gate rules of ``kpi.kpi_results``."""

from expectations.rules import Rule, rows_check
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
    rows_check(
        "kpi_results.delivered_values_reconcile_with_raw",
        """
        with delivered as (
            select measure_code, level, entity_id, period_start,
                   max_by(value, (_delivery_key, _line_no)) as value
            from warehouse.raw.hr__measure_values group by measure_code, level, entity_id, period_start
        ),
        to_publish as (
            select delivered.*, measures.reported_period_type as period_type
            from delivered
            inner join warehouse.policy.measures as measures
                on measures.measure_code = delivered.measure_code and not measures.is_pay_parameter
                and measures.valid_from <= delivered.period_start
                and delivered.period_start < coalesce(measures.valid_to, date '9999-12-31')
            semi join warehouse.intermediate.int_periods_listed as periods
                on periods.period_type = measures.reported_period_type and periods.period_start = delivered.period_start
        )
        select measure_code, level, entity_id, period_type, period_start, to_publish.value, published.numerator
        from to_publish
        full join (select * from marts.kpi.kpi_results where origin = 'delivered') as published
            using (measure_code, level, entity_id, period_type, period_start)
        where published.numerator is distinct from cast(to_publish.value as decimal(28, 4))
        """,
        "select count(*) from marts.kpi.kpi_results",
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
    rows_check(
        "kpi_results.are_there_once",
        """
        select measure_code, level, entity_id, period_type, period_start, count(*) as times
        from marts.kpi.kpi_results
        group by measure_code, level, entity_id, period_type, period_start having count(*) > 1
        """,
        "select count(*) from marts.kpi.kpi_results",
    ),
    # What may be paid on has a value: a null here would silently spread the measure's weight over the others.
    rows_check(
        "kpi_results.reportable_have_a_value",
        """
        select measure_code, level, entity_id, period_type, period_start, numerator, denominator, n
        from marts.kpi.kpi_results
        where is_reportable and value is null and coalesce(denominator, 1) <> 0
        """,
        "select count(*) from marts.kpi.kpi_results",
    ),
    rows_check(
        "kpi_results.values_follow_from_their_counts",
        """
        select results.measure_code, level, entity_id, period_type, period_start, value, numerator, denominator
        from marts.kpi.kpi_results as results
        inner join (select distinct measure_code, unit from warehouse.policy.measures) as units using (measure_code)
        where origin = 'computed' and value is not null and abs(value - case
            when units.unit in ('amount', 'count') then numerator
            when units.unit = 'points' then 100.0 * numerator / nullif(denominator, 0)
            when units.unit in ('ratio', 'mean_amount') then numerator / nullif(denominator, 0)
            else value
        end) > 1e-6
        """,
        "select count(*) from marts.kpi.kpi_results",
    ),
    rows_check(
        "kpi_results.favourable_and_unfavourable_are_recounted",
        """
        select measure_code, store_id, month, favourable, unfavourable, favourable_count, unfavourable_count
        from (
            select measure_code, store_id, date_trunc('month', submitted_on)::date as month,
                   count(*) filter (where is_top_box) as favourable,
                   count(*) filter (where is_bottom_box) as unfavourable
            from marts.core.survey_answers
            where exclusion_reason is null and measure_code in ('csat', 'nps') and store_id is not null
              and submitted_on is not null
            group by all
        ) as answers
        full join (
            select measure_code, entity_id as store_id, period_start as month, favourable_count, unfavourable_count
            from marts.kpi.kpi_results
            where measure_code in ('csat', 'nps') and level = 'store' and period_type = 'month' and origin = 'computed'
        ) as results using (measure_code, store_id, month)
        where favourable is distinct from favourable_count or unfavourable is distinct from unfavourable_count
        """,
        "select count(*) from marts.kpi.kpi_results",
    ),
    rows_check(
        "kpi_results.are_of_known_entities",
        """
        select distinct level, entity_id from marts.kpi.kpi_results
        where entity_id is null
           or level = 'employee' and entity_id not in (select employee_id from marts.core.employees)
           or level = 'store' and origin = 'computed'
              and entity_id not in (select store_id from marts.core.stores where store_id is not null)
        """,
        "select count(*) from marts.kpi.kpi_results",
    ),
    did_not_shrink("kpi_results", schema="kpi"),
)
