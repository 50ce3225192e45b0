-- One row per employee and half-open range of one salary, from the full lists HR delivered.
with deliveries as (

    select
        employee_id,
        salary_amount,
        currency_code,
        {{ local_day("_delivered_at") }} as delivered_on
    from {{ source("hr", "employees") }}
    qualify
        row_number() over (
            partition by employee_id, {{ local_day("_delivered_at") }}
            order by {{ delivery_order("desc") }}
        ) = 1

),

changes as (

    select
        employee_id,
        salary_amount,
        currency_code,
        delivered_on,
        lag(delivered_on) over (partition by employee_id order by delivered_on) as previous_on,
        lag(salary_amount) over (partition by employee_id order by delivered_on) as previous_amount,
        lag(currency_code) over (partition by employee_id order by delivered_on)
            as previous_currency
    from deliveries

)

-- The first salary known is taken for the time before it too: HR systems rarely deliver their past.
select
    employee_id,
    salary_amount,
    currency_code,
    case when previous_on is null then cast('0001-01-01' as date) else delivered_on end
        as valid_from,
    coalesce(
        lead(delivered_on) over (partition by employee_id order by delivered_on),
        cast('9999-12-31' as date)
    ) as valid_to
from changes
where
    previous_on is null
    or salary_amount is distinct from previous_amount
    or currency_code is distinct from previous_currency
