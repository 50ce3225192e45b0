-- One row per product key that was ever sold. The source has keys and costs but no product list,
-- so that the name is the key in words and every product is in one category.

with reseller_lines as (

    select *
    from
        read_csv(
            getvariable('data') || '/sales/reseller_order_lines.csv',
            header = true, delim = ',', all_varchar = true
        )

),

internet_lines as (

    select *
    from read_parquet(getvariable('data') || '/sales/internet_order_lines.parquet')

),

-- The reseller file rounds the cost of a line to the cent and leaves it out on some lines.
costed_lines as (

    select
        ProductKey as product_key,
        SalesOrderNumber as order_id,
        cast(SalesOrderLineNumber as integer) as line_no,
        cast(OrderQuantity as bigint) as quantity,
        cast(TotalProductCost as decimal(18, 4)) as line_cost,
        false as is_exact
    from reseller_lines

    union all

    select
        ProductKey as product_key,
        SalesOrderNumber as order_id,
        SalesOrderLineNumber as line_no,
        OrderQuantity as quantity,
        TotalProductCost as line_cost,
        true as is_exact
    from internet_lines

),

-- The line that knows the unit cost best: one with four decimals, else the largest quantity, where
-- the cent lost to rounding is spread over most units. Order and line make the choice unique.
best_lines as (

    select *
    from costed_lines
    qualify
        row_number() over (
            partition by product_key
            order by
                line_cost is null asc,
                is_exact desc,
                quantity desc,
                order_id asc,
                line_no asc
        ) = 1

)

-- Cost over quantity, half-up at the fourth decimal, in integers: DuckDB divides decimals as
-- doubles.
select
    product_key as product_id,
    'Product ' || product_key as product_name,
    'unclassified' as category,
    cast(
        cast(
            (2 * cast(line_cost * 10000 as hugeint) + quantity) // (2 * quantity) as decimal(18, 0)
        ) * 0.0001 as decimal(18, 4)
    ) as unit_cost
from best_lines
order by product_id
