-- One row per order line of both channels.
--
-- Revenue downstream is quantity * unit_price - discount_amount. The discount is therefore what
-- SalesAmount lacks to price times quantity: by construction the revenue is SalesAmount to the
-- fourth decimal, also where a source rounds its own discount.

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

sales_people as (

    select *
    from
        read_csv(
            getvariable('data') || '/hr/sales_people.csv',
            header = true, delim = ',', all_varchar = true
        )

),

-- Sales know their people by EmployeeKey, HR by BusinessEntityID; the id of HR serves everywhere. A
-- key that HR does not know keeps its number, so that a relationship test finds it: an empty
-- employee would look like a line that nobody sold.
mapped_reseller_lines as (

    select
        lines.SalesOrderNumber as order_id,
        cast(lines.SalesOrderLineNumber as integer) as line_no,
        cast(lines.OrderDate as date) as ordered_on,
        lines.SalesTerritoryKey as territory_key,
        lines.ProductKey as product_key,
        cast(lines.OrderQuantity as decimal(18, 4)) as quantity,
        cast(lines.UnitPrice as decimal(18, 4)) as unit_price,
        cast(lines.SalesAmount as decimal(18, 4)) as sales_amount,
        'R' || lines.ResellerKey as customer_id,
        coalesce(people.BusinessEntityID, 'unknown-key-' || lines.EmployeeKey) as employee_id,
        'reseller' as channel
    from reseller_lines as lines
    left join sales_people as people on lines.EmployeeKey = people.EmployeeKey

),

mapped_internet_lines as (

    select
        SalesOrderNumber as order_id,
        SalesOrderLineNumber as line_no,
        OrderDate as ordered_on,
        SalesTerritoryKey as territory_key,
        ProductKey as product_key,
        cast(OrderQuantity as decimal(18, 4)) as quantity,
        UnitPrice as unit_price,
        SalesAmount as sales_amount,
        'I' || CustomerKey as customer_id,
        cast(null as varchar) as employee_id,
        'internet' as channel
    from internet_lines

),

lines as (

    select * from mapped_reseller_lines

    union all by name

    select * from mapped_internet_lines

)

-- The source has days, no hours. Noon stands for the day: it is the same day in UTC and in the
-- company's time zone, while midnight in one of them is the day before in the other.
select
    order_id,
    line_no,
    cast(ordered_on as timestamp) + interval 12 hours as ordered_at,
    'T' || territory_key as store_id,
    product_key as product_id,
    quantity,
    unit_price,
    'USD' as currency_code,
    customer_id,
    employee_id,
    channel,
    cast(quantity * unit_price - sales_amount as decimal(18, 4)) as discount_amount
from lines
order by order_id, line_no
