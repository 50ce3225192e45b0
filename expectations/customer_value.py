"""Gate rules of the tables in ``value``."""

from expectations.rules import Rule
from expectations.shared_rules import did_not_shrink

RULES = (
    Rule(
        "customer_value.covers_every_buyer",
        """
        select count(*) as checked, count(*) filter (where valued.customer_id is null) as failed, count(*) as observed
        from (
            select distinct customer_id from marts.core.orders where customer_id is not null
        ) as buyers
        left join marts.value.customer_value as valued using (customer_id)
        """,
    ),
    Rule(
        "customer_value.purchases_reconcile_with_orders",
        """
        select count(*) as checked,
               count(*) filter (
                   where valued.purchase_count is distinct from buyers.days
                   or valued.purchase_amount is distinct from buyers.amount
               ) as failed,
               sum(buyers.amount) as observed
        from (
            select customer_id, count(distinct ordered_on) as days, sum(order_amount) as amount
            from marts.core.orders where customer_id is not null group by customer_id
        ) as buyers
        left join marts.value.customer_value as valued using (customer_id)
        """,
    ),
    Rule(
        "customer_value.is_plausible",
        """
        select count(*) as checked,
               count(*) filter (
                   where (clv_12m_amount is null) != (missing_reason is not null)
                   or probability_alive not between 0 and 1
                   or expected_purchases_12m not between 0 and least(365, expected_purchases_36m)
                   -- Less than everything that could be bought at the margin, whatever its sign.
                   or abs(clv_12m_amount::double)
                       > expected_purchases_12m::double * expected_spend_amount::double * abs(margin_ratio::double) + 1
               ) as failed,
               sum(clv_12m_amount) as observed
        from marts.value.customer_value
        """,
    ),
    Rule(
        "customer_value.sums_to_the_measure",
        """
        select (select count(*) from marts.value.customer_value) as checked,
               case when measured is distinct from valued then 1 else 0 end as failed, measured as observed
        from (
            -- One buyer without a value makes the sum unknown, here as there.
            select case when count(clv_12m_amount) = count(*) then sum(clv_12m_amount) end as valued
            from marts.value.customer_value where purchase_count > 0
        )
        cross join (
            select max(numerator) as measured from marts.kpi.kpi_results as results
            cross join warehouse.control.night
            where measure_code = 'clv_12m' and level = 'company' and period_type = 'month'
              and period_start <= as_of and period_end > as_of
        )
        """,
    ),
    did_not_shrink("customer_value", schema="value"),
    Rule(
        "churn_risk.is_a_probability_with_a_reason",
        """
        select count(*) as checked,
               count(*) filter (
                   where (churn_probability is null) != (missing_reason is not null)
                   or churn_probability not between 0 and 1
               ) as failed,
               avg(churn_probability) as observed
        from marts.value.churn_risk
        """,
    ),
    Rule(
        "model_backtests.no_model_worse_than_naive_is_in_use",
        """
        select count(*) as checked,
               count(*) filter (where is_in_use and not coalesce(beats_naive, false)) as failed,
               coalesce(
                   string_agg(
                       concat(model_code, ' of ', model_segment, ': ', problem, ', ',
                              coalesce('kept ' || version_in_use, 'nothing in use')), '; '
                       order by model_code, model_segment
                   ) filter (where problem is not null),
                   'all in use'
               ) as observed
        from marts.value.model_backtests
        """,
    ),
    Rule(
        "model_backtests.values_come_from_parameters_that_are_good",
        """
        select (select count(*) from marts.value.model_backtests) as checked, count(*) as failed, count(*) as observed
        from (
            select 'purchases' as model_code, purchase_parameters_version as version from marts.value.customer_value
            union
            select 'spend', spend_parameters_version from marts.value.customer_value
            union
            select 'churn', parameters_version from marts.value.churn_risk
        ) as used
        where version is not null and not exists (
            select 1 from marts.value.model_parameters as parameters
            where parameters.model_code = used.model_code and parameters.parameters_version = used.version
              and parameters.problem is null
        )
        """,
    ),
    Rule(
        "cohort_retention.counts_every_customer_once",
        """
        select (select count(*) from marts.value.cohort_retention) as checked,
               case when customers = buyers then 0 else 1 end as failed, customers as observed
        from (
            select coalesce(sum(cohort_customers), 0) as customers from marts.value.cohort_retention
            where months_since = 0
        )
        cross join (select count(distinct customer_id) as buyers from marts.core.orders where customer_id is not null)
        """,
    ),
    Rule(
        "early_actions.are_of_buyers_and_stay_as_they_were_drawn",
        """
        select (select count(*) from marts.value.early_actions) as checked, count(*) as failed, count(*) as observed
        from (
            (
                select action_month, customer_id, action_group from previous.value.early_actions
                except
                select action_month, customer_id, action_group from marts.value.early_actions
            )
            union all
            select action_month, customer_id, action_group from marts.value.early_actions
            where customer_id not in (select customer_id from marts.value.churn_risk)
        )
        """,
    ),
)
