-- Every order line delivered is in the mart, and every line of the mart is in the revenue or
-- carries a reason why not.
{{ config(meta={"dagster": {"ref": {"name": "order_lines"}}}) }}

with delivered as (

    select count(*) as line_count
    from (
        select
            order_id,
            line_no
        from {{ source("sales", "order_lines") }}
        group by order_id, line_no
    ) as lines

),

published as (

    select
        count(*) as line_count,
        count(*) filter (where exclusion_reason is null) as counted_lines,
        count(*) filter (where exclusion_reason is not null) as excluded_lines,
        coalesce(sum(line_amount) filter (where exclusion_reason is null), 0) as counted_amount
    from {{ ref("order_lines") }}

),

revenue as (

    select
        coalesce(sum(n), 0) as counted_lines,
        coalesce(sum(excluded_count), 0) as excluded_lines,
        coalesce(sum(numerator), 0) as counted_amount
    from {{ ref("int_kpis_counted_daily") }}
    where measure_code = 'revenue'

)

select
    delivered.line_count as delivered_lines,
    published.line_count as published_lines,
    published.counted_lines,
    revenue.counted_lines as lines_in_revenue,
    published.excluded_lines,
    revenue.excluded_lines as lines_excluded_from_revenue,
    published.counted_amount,
    revenue.counted_amount as amount_in_revenue
from delivered
cross join published
cross join revenue
where
    delivered.line_count != published.line_count
    or published.counted_lines != revenue.counted_lines
    or published.excluded_lines != revenue.excluded_lines
    or published.counted_amount != revenue.counted_amount
