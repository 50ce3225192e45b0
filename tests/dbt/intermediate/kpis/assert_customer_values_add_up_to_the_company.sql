-- The values of a level's entities and of what nobody is credited with make up the company's:
-- nothing counts twice and nothing is lost. What is uncredited is counted here from the orders,
-- there by cutting, hence the tolerance of a cut per customer.
{{ config(meta={"dagster": {"ref": {"name": "int_customer_values_counted"}}}) }}

with measured as (

    select * from {{ ref("int_customer_values_counted") }}
    where measure_code = 'clv_12m' and period_type = 'month'

),

periods as (

    select * from {{ ref("int_value_periods_listed") }}
    where period_type = 'month'

),

valued as (

    select * from {{ ref("int_customers_valued") }}
    where valued_on = looked_from

),

credits as (

    select * from {{ ref("int_customer_credits_shared") }}
    where entity_id is not null

),

credited as (

    select
        valued_on,
        customer_id,
        level,
        sum(cast(order_count as double) / customer_count) as share
    from credits
    group by valued_on, customer_id, level

),

levels as (

    {% for level in ["region", "store", "department", "employee"] %}
    select '{{ level }}' as level {{ "union all" if not loop.last }}
    {% endfor %}

),

expected as (

    select
        periods.period_start,
        levels.level,
        count(*) as customers,
        sum(cast(valued.clv_12m_amount as double) * coalesce(credited.share, 0)) as amount
    from periods
    inner join valued
        on periods.valued_on = valued.valued_on
    cross join levels
    left join credited
        on
            valued.valued_on = credited.valued_on
            and valued.customer_id = credited.customer_id
            and levels.level = credited.level
    group by periods.period_start, levels.level

    union all

    select
        company.period_start,
        wholes.level,
        0 as customers,
        cast(company.numerator as double) as amount
    from measured as company
    cross join (
        select 'segment' as level
        union all
        select 'acquisition_channel' as level
    ) as wholes
    where company.level = 'company'

),

summed as (

    select
        period_start,
        level,
        cast(sum(numerator) as double) as amount
    from measured
    group by period_start, level

)

select
    expected.period_start,
    expected.level,
    expected.amount as expected_amount,
    summed.amount
from expected
left join summed
    on
        expected.period_start = summed.period_start
        and expected.level = summed.level
where
    abs(coalesce(summed.amount, 0) - coalesce(expected.amount, 0))
    > 0.0001 * expected.customers + 0.00001
