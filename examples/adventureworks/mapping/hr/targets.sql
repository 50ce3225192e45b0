-- One row per sales person and quota. A quota runs from its QuotaDate to the next one; the quarters
-- are in seeds/mappings/fiscal_periods.csv.

with quotas as (

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

)

-- A left join: a quota whose key HR does not know has no entity, and landing rejects it with file
-- and line. An inner join would lose it without a word.
select
    'revenue' as measure_code,
    'employee' as level,
    people.BusinessEntityID as entity_id,
    cast(quotas.QuotaDate as date) as period_start,
    cast(quotas.SalesAmountQuota as decimal(18, 4)) as target
from quotas
left join sales_people as people on quotas.EmployeeKey = people.EmployeeKey
order by entity_id, period_start
