-- One row per loyalty measure, level, entity and period (month, quarter). A customer counts once
-- per entity and period, so that nothing here is a sum of days or of entities.
with visits as (

    select * from {{ ref("int_customer_entities_visited") }}

),

purchases as (

    select * from {{ ref("int_customer_purchases_dated") }}

),

periods as (

    select
        *,
        lead(period_start) over (partition by period_type order by period_start) as next_start,
        lead(period_end) over (partition by period_type order by period_start) as next_end,
        lead(is_complete) over (partition by period_type order by period_start) as next_is_complete
    from {{ ref("int_periods_listed") }}
    where period_type in ('month', 'quarter')

),

night as (

    select as_of from {{ source("control", "night") }}

),

-- Who bought in a period, what they spent, who was won, and whether they bought in the next one.
buyers as (

    select
        visits.level,
        visits.entity_id,
        visits.customer_id,
        periods.period_type,
        periods.period_start,
        periods.next_start,
        periods.next_end,
        sum(visits.order_amount) as order_amount,
        bool_or(visits.is_acquisition) as is_acquisition
    from visits
    inner join periods
        on
            visits.ordered_on >= periods.period_start
            and visits.ordered_on < periods.period_end
    group by
        visits.level,
        visits.entity_id,
        visits.customer_id,
        periods.period_type,
        periods.period_start,
        periods.next_start,
        periods.next_end

),

company_buyers as (

    select
        customer_id,
        period_type,
        period_start
    from buyers
    where level = 'company'

),

bought as (

    select
        level,
        entity_id,
        period_type,
        period_start,
        count(*) as customers,
        sum(order_amount) as order_amount,
        count(*) filter (where is_acquisition) as acquired
    from buyers
    group by level, entity_id, period_type, period_start

),

-- Retention belongs to the later period: of the customers of the period before, those who bought
-- again in this one, anywhere in the company.
retained as (

    select
        buyers.level,
        buyers.entity_id,
        periods.period_type,
        periods.next_start as period_start,
        bool_and(periods.next_is_complete) as is_known,
        count(*) as customers,
        count(again.customer_id) as retained_customers
    from buyers
    inner join periods
        on
            buyers.period_type = periods.period_type
            and buyers.period_start = periods.period_start
            and periods.next_start is not null
    left join company_buyers as again
        on
            buyers.customer_id = again.customer_id
            and buyers.period_type = again.period_type
            and periods.next_start = again.period_start
    group by buyers.level, buyers.entity_id, periods.period_type, periods.next_start

),

-- The customers of an entity on the last day of a period (or on `as_of` while it runs): who bought
-- there within the own horizon before it. The last visit before the day stands for all.
reached as (

    select
        visits.level,
        visits.entity_id,
        visits.customer_id,
        visits.horizon_days,
        periods.period_type,
        periods.period_start,
        least({{ add_days("periods.period_end", -1) }}, night.as_of) as looked_from
    from visits
    cross join night
    inner join periods
        on
            visits.ordered_on <= least({{ add_days("periods.period_end", -1) }}, night.as_of)
            and coalesce(visits.next_there_on > least(
                {{ add_days("periods.period_end", -1) }}, night.as_of
            ), true)
            and {{ days_between("visits.ordered_on", "least(" ~ add_days(
                "periods.period_end", -1
            ) ~ ", night.as_of)") }} < visits.horizon_days

),

followed as (

    select
        reached.level,
        reached.entity_id,
        reached.period_type,
        reached.period_start,
        count(*) as customers,
        count(*) filter (
            where
            coalesce(
                purchases.next_ordered_on
                > {{ add_days("reached.looked_from", "reached.horizon_days") }},
                true
            )
        ) as churned,
        bool_and(
            {{ add_days("reached.looked_from", "reached.horizon_days") }} <= night.as_of
        ) as is_known
    from reached
    cross join night
    -- The customer's last purchase before the day, wherever it was: what comes next decides.
    inner join purchases
        on
            reached.customer_id = purchases.customer_id
            and reached.looked_from >= purchases.ordered_on
            and coalesce(reached.looked_from < purchases.next_ordered_on, true)
    group by reached.level, reached.entity_id, reached.period_type, reached.period_start

),

measured as (

    select
        'active_customers' as measure_code,
        level,
        entity_id,
        period_type,
        period_start,
        cast(customers as decimal(28, 4)) as numerator,
        cast(null as decimal(28, 4)) as denominator,
        customers as n,
        cast(null as bigint) as favourable_count,
        cast(null as bigint) as unfavourable_count
    from followed
    union all
    select
        'churn_rate' as measure_code,
        level,
        entity_id,
        period_type,
        period_start,
        -- Until the horizon of the last customer has passed it is not known: null, not low.
        case when is_known then cast(churned as decimal(28, 4)) end as numerator,
        cast(customers as decimal(28, 4)) as denominator,
        customers as n,
        case when is_known then customers - churned end as favourable_count,
        case when is_known then churned end as unfavourable_count
    from followed
    union all
    select
        'retention_rate' as measure_code,
        level,
        entity_id,
        period_type,
        period_start,
        case when is_known then cast(retained_customers as decimal(28, 4)) end as numerator,
        cast(customers as decimal(28, 4)) as denominator,
        customers as n,
        case when is_known then retained_customers end as favourable_count,
        case when is_known then customers - retained_customers end as unfavourable_count
    from retained
    union all
    select
        'revenue_per_customer' as measure_code,
        level,
        entity_id,
        period_type,
        period_start,
        cast(order_amount as decimal(28, 4)) as numerator,
        cast(customers as decimal(28, 4)) as denominator,
        customers as n,
        cast(null as bigint) as favourable_count,
        cast(null as bigint) as unfavourable_count
    from bought
    union all
    select
        'new_customers' as measure_code,
        level,
        entity_id,
        period_type,
        period_start,
        cast(acquired as decimal(28, 4)) as numerator,
        cast(null as decimal(28, 4)) as denominator,
        acquired as n,
        cast(null as bigint) as favourable_count,
        cast(null as bigint) as unfavourable_count
    from bought

)

select
    measure_code,
    level,
    entity_id,
    period_type,
    period_start,
    numerator,
    denominator,
    cast(n as bigint) as n,
    cast(favourable_count as bigint) as favourable_count,
    cast(unfavourable_count as bigint) as unfavourable_count,
    cast(null as decimal(38, 12)) as score_sum,
    cast(0 as bigint) as excluded_count
from measured
