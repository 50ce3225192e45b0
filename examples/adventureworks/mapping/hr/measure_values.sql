-- One row per measure computed elsewhere, entity and period: the call centre's service grade, and
-- what HR knows about the pay of each sales person.

with shifts as (

    select *
    from
        read_csv(
            getvariable('data') || '/survey/call_centre_shifts.csv',
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

sales_people as (

    select *
    from
        read_csv(
            getvariable('data') || '/hr/sales_people.csv',
            header = true, delim = ',', all_varchar = true
        )

),

-- A shift with 600 calls counts ten times as much as one with 60: the mean over shifts would be the
-- grade of no caller. The cast turns the source's 2.9999999999999999E-2 back into 0.03.
monthly_calls as (

    select
        cast(date_trunc('month', cast(Date as date)) as date) as period_start,
        sum(cast(Calls as bigint)) as calls,
        sum(cast(Calls as bigint) * cast(ServiceGrade as decimal(18, 4))) as weighted_grade
    from shifts
    group by period_start

),

-- Mean, half-up at the fourth decimal, in integers: DuckDB divides decimals as doubles.
service_grades as (

    select
        period_start,
        cast(
            cast(
                (2 * cast(weighted_grade * 10000 as hugeint) + calls) // (2 * calls)
                as decimal(18, 0)
            ) * 0.0001 as decimal(18, 4)
        ) as value,
        calls as n
    from monthly_calls

),

-- No department owns the call centre in the source. Its shifts take orders, hence Sales (D3).
service_grade_entities as (

    select
        'company' as level,
        'company' as entity_id

    union all

    select
        'department' as level,
        'D3' as entity_id

),

-- HR keeps one bonus and one commission rate per person, without dates. They are delivered for
-- every quarter with a quota, so that a change of the file is a correction of all of them: pay
-- already closed then gets an adjustment, never a silent change.
pay_terms as (

    select
        people.BusinessEntityID as entity_id,
        cast(quotas.QuotaDate as date) as period_start,
        cast(people.Bonus as decimal(18, 4)) as bonus_amount,
        cast(people.CommissionPct as decimal(18, 4)) as commission_rate
    from quotas
    left join sales_people as people on quotas.EmployeeKey = people.EmployeeKey

),

measure_values as (

    select
        'service_grade' as measure_code,
        entities.level,
        entities.entity_id,
        grades.period_start,
        grades.value,
        grades.n
    from service_grades as grades
    cross join service_grade_entities as entities

    union all

    select
        'bonus_amount' as measure_code,
        'employee' as level,
        entity_id,
        period_start,
        bonus_amount as value,
        1 as n
    from pay_terms

    union all

    -- CommissionPct is a share already: .0120 is 1.2 percent.
    select
        'commission_rate' as measure_code,
        'employee' as level,
        entity_id,
        period_start,
        commission_rate as value,
        1 as n
    from pay_terms

)

select
    measure_code,
    level,
    entity_id,
    period_start,
    value,
    n
from measure_values
order by measure_code, level, entity_id, period_start
