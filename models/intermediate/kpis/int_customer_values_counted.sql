-- One row per measure (12-month value of the customers served, and its change over the period),
-- level, entity and period. A customer's value is cut in proportion to the orders of the year, to
-- the last digit: the parts of a level and what nobody is credited with add up to the company.
with periods as (

    select * from {{ ref("int_value_periods_listed") }}

),

valued as (

    select * from {{ ref("int_customers_valued") }}

),

credits as (

    select * from {{ ref("int_customer_credits_shared") }}

),

customers as (

    select
        customer_id,
        max(acquisition_channel) as acquisition_channel
    from {{ ref("int_customer_purchases_dated") }}
    group by customer_id

),

amounts as (

    select
        periods.period_type,
        periods.period_start,
        periods.valued_on,
        now_valued.customer_id,
        now_valued.segment,
        customers.acquisition_channel,
        -- Whole ten-thousandths, which doubles hold exactly.
        cast(now_valued.clv_12m_amount * 10000 as bigint) as clv_12m,
        -- Who was no customer yet was worth nothing.
        cast(
            case
                when before.customer_id is null then now_valued.clv_12m_amount
                else now_valued.clv_12m_amount - before.clv_12m_amount
            end * 10000 as bigint
        ) as clv_12m_change
    from periods
    inner join valued as now_valued
        on
            periods.valued_on = now_valued.valued_on
            and periods.valued_on = now_valued.looked_from
    inner join customers
        on now_valued.customer_id = customers.customer_id
    left join valued as before
        on
            periods.valued_on = before.valued_on
            and periods.began_on = before.looked_from
            and now_valued.customer_id = before.customer_id

),

parts as (

    {% for level, entity in {
        "company": "'company'",
        "segment": "segment",
        "acquisition_channel": "acquisition_channel",
    }.items() %}
    select
        '{{ level }}' as level,
        {{ entity }} as entity_id,
        period_type,
        period_start,
        clv_12m,
        clv_12m_change
    from amounts
    union all
    {% endfor %}
    select
        credits.level,
        credits.entity_id,
        amounts.period_type,
        amounts.period_start,
        {% for measure in ["clv_12m", "clv_12m_change"] %}
        -- What lies between two cuts of the customer's whole units: the next entity begins where
        -- this one ends, so that nothing is lost between them.
        floor(amounts.{{ measure }} * credits.cumulated_count / credits.customer_count)
        - floor(
            amounts.{{ measure }} * (credits.cumulated_count - credits.order_count)
            / credits.customer_count
        ) as {{ measure }}{{ "," if not loop.last }}
        {% endfor %}
    from amounts
    inner join credits
        on
            amounts.valued_on = credits.valued_on
            and amounts.customer_id = credits.customer_id
    where credits.entity_id is not null

)

{% for measure in ["clv_12m", "clv_12m_change"] %}
select
    '{{ measure }}' as measure_code,
    level,
    entity_id,
    period_type,
    period_start,
    -- One customer without a value makes the sum unknown, not smaller.
    case
        when count({{ measure }}) = count(*)
            then cast(sum(cast({{ measure }} as decimal(22, 0))) * 0.0001 as decimal(28, 4))
    end
        as numerator,
    cast(null as decimal(28, 4)) as denominator,
    cast(count(*) as bigint) as n,
    cast(null as bigint) as favourable_count,
    cast(null as bigint) as unfavourable_count,
    cast(null as decimal(38, 12)) as score_sum,
    cast(0 as bigint) as excluded_count
from parts
group by level, entity_id, period_type, period_start
{{ "union all" if not loop.last }}
{% endfor %}
