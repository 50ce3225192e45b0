-- One row per employee of the HR system.

with employees as (

    select *
    from
        read_csv(
            getvariable('data') || '/hr/employees.csv',
            header = true, delim = ',', all_varchar = true
        )

),

pay_history as (

    select *
    from
        read_csv(
            getvariable('data') || '/hr/employee_pay_history.csv',
            header = true, delim = ',', all_varchar = true
        )

),

sales_people as (

    select *
    from
        read_csv(
            getvariable('data') || '/hr/sales_people.csv',
            header = true, delim = ',', all_varchar = true
        )

),

quotas as (

    select *
    from
        read_csv(
            getvariable('data') || '/hr/sales_quotas.csv',
            header = true, delim = ',', all_varchar = true
        )

),

territory_history as (

    select *
    from
        read_csv(
            getvariable('data') || '/hr/sales_territory_history.csv',
            header = true, delim = ',', all_varchar = true
        )

),

latest_rates as (

    select
        BusinessEntityID as employee_id,
        cast(HourlyRate as decimal(18, 4)) as hourly_rate
    from pay_history
    qualify
        row_number() over (
            partition by BusinessEntityID
            order by cast(RateChangeDate as date) desc
        ) = 1

),

-- HR entered all 17 sales people days or months after they had a quota, a territory and sales (275:
-- quota from 2010-12-29, hired 2011-05-31). Somebody with a quota was employed, so that the first
-- quota or territory beats a later HireDate; assignments.sql starts on the same day.
first_days_of_selling as (

    select
        people.BusinessEntityID as employee_id,
        cast(quotas.QuotaDate as date) as first_day
    from quotas
    inner join sales_people as people on quotas.EmployeeKey = people.EmployeeKey

    union all

    select
        BusinessEntityID as employee_id,
        cast(StartDate as date) as first_day
    from territory_history

),

sellers as (

    select
        employee_id,
        min(first_day) as first_day
    from first_days_of_selling
    group by employee_id

)

-- The source has no names; the login without its domain is the nearest thing to one.
-- `least` ignores nulls, so that the HireDate stays for everybody else.
-- Salary of a month: 2,080 paid hours in a year of 12 months, that is the hourly rate * 520 / 3,
-- half-up at the fourth decimal, in integers: DuckDB divides decimals as doubles.
select
    employees.BusinessEntityID as employee_id,
    split_part(employees.LoginID, '\', 2) as full_name,
    least(cast(employees.HireDate as date), sellers.first_day) as hired_on,
    cast(
        cast(
            (2 * 520 * cast(rates.hourly_rate * 10000 as hugeint) + 3) // (2 * 3) as decimal(18, 0)
        ) * 0.0001 as decimal(18, 4)
    ) as salary_amount,
    'USD' as currency_code
from employees
left join latest_rates as rates on employees.BusinessEntityID = rates.employee_id
left join sellers on employees.BusinessEntityID = sellers.employee_id
order by employee_id
