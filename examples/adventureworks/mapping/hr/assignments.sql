-- One row per employee and range of days with the same department and territory; ranges half-open.
--
-- The department comes from HR, the territory from sales. The source's EndDate is the last day, the
-- next range starts on the day after, so that valid_to is EndDate + 1.

with employees as (

    select *
    from
        read_csv(
            getvariable('data') || '/hr/employees.csv',
            header = true, delim = ',', all_varchar = true
        )

),

department_history as (

    select *
    from
        read_csv(
            getvariable('data') || '/hr/employee_department_history.csv',
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

territory_ranges as (

    select
        BusinessEntityID as employee_id,
        'T' || TerritoryID as store_id,
        cast(StartDate as date) as valid_from,
        coalesce(cast(EndDate as date) + 1, date '9999-12-31') as valid_to
    from territory_history

),

-- A quota is for the whole quarter, and pay looks at every day of it. HR starts all 17 sales people
-- after their first quota, some a quarter and more later (275: quota from 2010-12-29, HR from
-- 2011-05-31; 284: quota from 2012-03-30, territory from 2012-04-30, HR from 2012-09-30). Cutting
-- them to HR's date would leave quota and sales without an assignment, that is unpaid. So the first
-- quota or territory, whichever is earlier, starts the job.
first_days_of_selling as (

    select
        people.BusinessEntityID as employee_id,
        cast(quotas.QuotaDate as date) as first_day
    from quotas
    inner join sales_people as people on quotas.EmployeeKey = people.EmployeeKey

    union all

    select
        employee_id,
        valid_from as first_day
    from territory_ranges

),

sellers as (

    select
        employee_id,
        min(first_day) as first_day
    from first_days_of_selling
    group by employee_id

),

-- Only the first department of a sales person reaches back to that day.
department_ranges as (

    select
        history.BusinessEntityID as employee_id,
        'D' || history.DepartmentID as department_code,
        case
            when
                row_number() over (
                    partition by history.BusinessEntityID order by cast(history.StartDate as date)
                ) = 1
                then least(cast(history.StartDate as date), sellers.first_day)
            else cast(history.StartDate as date)
        end as valid_from,
        coalesce(cast(history.EndDate as date) + 1, date '9999-12-31') as valid_to
    from department_history as history
    left join sellers on history.BusinessEntityID = sellers.employee_id

),

-- Every day on which anything changes for an employee starts a range, and the next one ends it.
changes as (

    select
        employee_id,
        valid_from as changed_on
    from department_ranges

    union

    select
        employee_id,
        valid_to as changed_on
    from department_ranges

    union

    select
        employee_id,
        valid_from as changed_on
    from territory_ranges

    union

    select
        employee_id,
        valid_to as changed_on
    from territory_ranges

),

ranges as (

    select
        employee_id,
        changed_on as valid_from,
        lead(changed_on) over (partition by employee_id order by changed_on) as valid_to
    from changes

),

-- The source keeps the present job title only, which therefore serves for all of an employee's
-- ranges. The three regional managers sell to a quota too: their role says manager.
roles as (

    select
        employees.BusinessEntityID as employee_id,
        case
            when people.BusinessEntityID is null
                then trim(regexp_replace(lower(employees.JobTitle), '[^a-z0-9]+', '_', 'g'), '_')
            when contains(employees.JobTitle, 'Manager') then 'sales_manager'
            else 'sales_representative'
        end as job_role
    from employees
    left join sales_people as people on employees.BusinessEntityID = people.BusinessEntityID

)

-- No territory is an answer: managers never have one, 280 has none from 2012-04-30 (284 took over
-- territory 1 in the middle of the quarter) and 284 none before it. They stay in the job and paid.
select
    ranges.employee_id,
    ranges.valid_from,
    departments.department_code,
    roles.job_role,
    territories.store_id,
    nullif(ranges.valid_to, date '9999-12-31') as valid_to
from ranges
inner join department_ranges as departments
    on
        ranges.employee_id = departments.employee_id
        and ranges.valid_from >= departments.valid_from
        and ranges.valid_from < departments.valid_to
left join territory_ranges as territories
    on
        ranges.employee_id = territories.employee_id
        and ranges.valid_from >= territories.valid_from
        and ranges.valid_from < territories.valid_to
left join roles on ranges.employee_id = roles.employee_id
order by ranges.employee_id, ranges.valid_from
