-- The company is the sum of its stores and of what no store is credited with; of its regions,
-- departments and employees likewise. Nothing counts twice on one level, nothing is lost on the way
-- up.
{{ config(meta={"dagster": {"ref": {"name": "int_kpis_summed"}}}) }}

{% set levels = {
    "region": "region",
    "store": "store_id",
    "department": "department_code",
    "employee": "employee_id",
} %}

with monthly as (

    select * from {{ ref("int_kpis_summed") }}
    where
        period_type = 'month'
        and level in ('company', 'region', 'store', 'department', 'employee')

),

uncredited as (

    {% for level, entity in levels.items() %}
    select
        counts.measure_code,
        '{{ level }}' as level,
        days.month_start as period_start,
        sum(counts.numerator) as numerator,
        sum(counts.denominator) as denominator,
        sum(counts.n) as n,
        sum(counts.excluded_count) as excluded_count
    from {{ ref("int_kpis_counted_daily") }} as counts
    inner join {{ ref("int_days_dated") }} as days
        on counts.date_day = days.date_day
    where counts.{{ entity }} is null
    group by counts.measure_code, days.month_start
    {{ "union all" if not loop.last }}
    {% endfor %}

),

parts as (

    select
        measure_code,
        level,
        period_start,
        numerator,
        denominator,
        n,
        excluded_count
    from monthly
    where level != 'company'
    union all
    select * from uncredited

),

summed as (

    select
        measure_code,
        level,
        period_start,
        coalesce(sum(numerator), 0) as numerator,
        coalesce(sum(denominator), 0) as denominator,
        sum(n) as n,
        sum(excluded_count) as excluded_count
    from parts
    group by measure_code, level, period_start

),

-- A level that has nothing of a measure at all must fail too: the company is set against each of
-- them.
company as (

    select
        monthly.measure_code,
        levels.level,
        monthly.period_start,
        coalesce(monthly.numerator, 0) as numerator,
        coalesce(monthly.denominator, 0) as denominator,
        monthly.n,
        monthly.excluded_count
    from monthly
    cross join (
        {% for level in levels %}
        select '{{ level }}' as level {{ "union all" if not loop.last }}
        {% endfor %}
    ) as levels
    where monthly.level = 'company'

)

select
    coalesce(company.measure_code, summed.measure_code) as measure_code,
    coalesce(company.level, summed.level) as level,
    coalesce(company.period_start, summed.period_start) as period_start,
    company.numerator as company_numerator,
    summed.numerator as summed_numerator,
    company.n as company_n,
    summed.n as summed_n
from company
full outer join summed
    on
        company.measure_code = summed.measure_code
        and company.level = summed.level
        and company.period_start = summed.period_start
where
    company.numerator is distinct from summed.numerator
    or company.denominator is distinct from summed.denominator
    or company.n is distinct from summed.n
    or company.excluded_count is distinct from summed.excluded_count
