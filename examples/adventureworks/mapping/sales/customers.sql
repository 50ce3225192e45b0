-- One row per customer that has ordered: resellers (R + key) and internet customers (I + key). Both
-- sources number from 1 upwards, so that the letter keeps their keys apart.
--
-- Nobody tells when a customer registered; the first order is the first day it was one. Resellers
-- without an order (69 of 701) are prospects: they have no such day, and no measure counts them.

with resellers as (

    select *
    from
        read_csv(
            getvariable('data') || '/sales/resellers.csv',
            header = true, delim = ',', all_varchar = true
        )

),

territories as (

    select *
    from
        read_csv(
            getvariable('data') || '/sales/territories.csv',
            header = true, delim = ',', all_varchar = true
        )

),

reseller_lines as (

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

orders as (

    select distinct
        'R' || ResellerKey as customer_id,
        'reseller' as channel,
        ResellerKey as reseller_key,
        SalesOrderNumber as order_id,
        cast(OrderDate as date) as ordered_on,
        SalesTerritoryKey as territory_key
    from reseller_lines

    union all

    select distinct
        'I' || CustomerKey as customer_id,
        'internet' as channel,
        null as reseller_key,
        SalesOrderNumber as order_id,
        OrderDate as ordered_on,
        SalesTerritoryKey as territory_key
    from internet_lines

),

first_orders as (

    select *
    from orders
    qualify
        row_number() over (
            partition by customer_id
            order by ordered_on, order_id, territory_key
        ) = 1

)

-- The source has days, no hours. Noon stands for the day: it is the same day in UTC and in the
-- company's time zone, while midnight in one of them is the day before in the other.
select
    first_orders.customer_id,
    cast(first_orders.ordered_on as timestamp) + interval 12 hours as registered_at,
    territories.TerritoryGroup as region,
    case first_orders.channel
        when 'reseller' then resellers.BusinessType
        else 'Consumer'
    end as segment,
    first_orders.channel as acquisition_channel
from first_orders
left join territories on first_orders.territory_key = territories.SalesTerritoryKey
left join resellers on first_orders.reseller_key = resellers.ResellerKey
order by first_orders.customer_id
