-- One row per sales measure, day and credit (store, region, department, employee): revenue, orders
-- and returns, additive. Whatever does not count is counted beside it.
with order_lines as (

    select * from {{ ref("int_order_lines_credited") }}

),

sales as (

    select * from {{ ref("int_sales_credited") }}

),

orders as (

    select * from {{ ref("int_orders_summed") }}

),

returned_lines as (

    select * from {{ ref("int_returns_credited") }}

),

revenue_counts as (

    select
        'revenue' as measure_code,
        date_day,
        store_id,
        region,
        department_code,
        employee_id,
        cast(
            coalesce(sum(credited_amount) filter (where exclusion_reason is null), 0)
            as decimal(28, 4)
        ) as numerator,
        cast(null as decimal(28, 4)) as denominator,
        count(*) filter (where exclusion_reason is null) as n,
        cast(null as bigint) as favourable_count,
        cast(null as bigint) as unfavourable_count,
        cast(null as decimal(38, 12)) as score_sum,
        count(*) filter (where exclusion_reason is not null) as excluded_count
    from sales
    group by date_day, store_id, region, department_code, employee_id

),

order_counts as (

    select
        'order_count' as measure_code,
        ordered_on as date_day,
        store_id,
        region,
        department_code,
        employee_id,
        cast(count(*) as decimal(28, 4)) as numerator,
        cast(null as decimal(28, 4)) as denominator,
        count(*) as n,
        cast(null as bigint) as favourable_count,
        cast(null as bigint) as unfavourable_count,
        cast(null as decimal(38, 12)) as score_sum,
        cast(0 as bigint) as excluded_count
    from orders
    group by ordered_on, store_id, region, department_code, employee_id

),

-- A line returned in two parts on one day came back once.
return_events as (

    select
        returned_on as date_day,
        store_id,
        region,
        department_code,
        employee_id,
        order_id,
        line_no,
        exclusion_reason,
        0 as sold_lines,
        1 as returned_lines
    from returned_lines
    group by
        returned_on,
        store_id,
        region,
        department_code,
        employee_id,
        order_id,
        line_no,
        exclusion_reason
    union all
    select
        ordered_on as date_day,
        store_id,
        region,
        department_code,
        employee_id,
        order_id,
        line_no,
        exclusion_reason,
        1 as sold_lines,
        0 as returned_lines
    from order_lines

),

return_counts as (

    select
        'return_rate' as measure_code,
        date_day,
        store_id,
        region,
        department_code,
        employee_id,
        cast(
            coalesce(sum(returned_lines) filter (where exclusion_reason is null), 0)
            as decimal(28, 4)
        ) as numerator,
        cast(
            coalesce(sum(sold_lines) filter (where exclusion_reason is null), 0)
            as decimal(28, 4)
        ) as denominator,
        cast(
            coalesce(sum(sold_lines) filter (where exclusion_reason is null), 0) as bigint
        ) as n,
        cast(null as bigint) as favourable_count,
        cast(
            coalesce(sum(returned_lines) filter (where exclusion_reason is null), 0) as bigint
        ) as unfavourable_count,
        cast(null as decimal(38, 12)) as score_sum,
        count(*) filter (where exclusion_reason is not null) as excluded_count
    from return_events
    group by date_day, store_id, region, department_code, employee_id

)

select * from revenue_counts
union all
select * from order_counts
union all
select * from return_counts
