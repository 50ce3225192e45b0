-- Months are those of the company calendar; a month that is still running has no share yet.
with purchases as (

    select
        purchases.customer_id,
        purchases.purchase_amount,
        days.month_start
    from {{ ref("int_customer_purchases_dated") }} as purchases
    inner join {{ ref("int_days_dated") }} as days
        on purchases.ordered_on = days.date_day

),

months as (

    select
        period_start as month_start,
        is_complete,
        row_number() over (order by period_start) as month_no
    from {{ ref("int_periods_listed") }}
    where period_type = 'month'

),

cohorts as (

    select
        customer_id,
        min(month_start) as cohort_month
    from purchases
    group by customer_id

),

sizes as (

    select
        cohort_month,
        count(*) as cohort_customers
    from cohorts
    group by cohort_month

),

active as (

    select
        cohorts.cohort_month,
        purchases.month_start,
        count(distinct purchases.customer_id) as active_customers,
        sum(purchases.purchase_amount) as purchase_amount
    from purchases
    inner join cohorts
        on purchases.customer_id = cohorts.customer_id
    group by cohorts.cohort_month, purchases.month_start

)

select
    sizes.cohort_month,
    months.month_start as activity_month,
    cast(months.month_no - first_months.month_no as bigint) as months_since,
    cast(sizes.cohort_customers as bigint) as cohort_customers,
    cast(coalesce(active.active_customers, 0) as bigint) as active_customers,
    case
        when months.is_complete
            then cast({{ exact_divide(
                "coalesce(active.active_customers, 0)", "sizes.cohort_customers"
            ) }} as decimal(18, 12))
    end as retention_ratio,
    cast(coalesce(active.purchase_amount, 0) as decimal(28, 4)) as purchase_amount,
    months.is_complete
from sizes
inner join months as first_months
    on sizes.cohort_month = first_months.month_start
inner join months
    on sizes.cohort_month <= months.month_start
left join active
    on
        sizes.cohort_month = active.cohort_month
        and months.month_start = active.month_start
