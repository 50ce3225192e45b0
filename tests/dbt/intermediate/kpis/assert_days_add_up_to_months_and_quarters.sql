-- The days of a month or quarter add up to it, on every level that is summed by day. The days of
-- employees are held against the counts in assert_days_of_employees_are_as_counted.
{{ config(meta={"dagster": {"ref": {"name": "int_kpis_summed"}}}) }}

with results as (

    select * from {{ ref("int_kpis_summed") }}
    where level != 'employee'

),

summed_days as (

    {% for period_type in ["month", "quarter"] %}
    select
        results.measure_code,
        results.level,
        results.entity_id,
        '{{ period_type }}' as period_type,
        days.{{ period_type }}_start as period_start,
        sum(results.numerator) as numerator,
        sum(results.denominator) as denominator,
        sum(results.n) as n,
        sum(results.excluded_count) as excluded_count
    from results
    inner join {{ ref("int_days_dated") }} as days
        on results.period_start = days.date_day
    where results.period_type = 'day'
    group by
        results.measure_code,
        results.level,
        results.entity_id,
        days.{{ period_type }}_start
    {{ "union all" if not loop.last }}
    {% endfor %}

),

periods as (

    select * from results
    where period_type in ('month', 'quarter')

)

select
    coalesce(periods.measure_code, summed_days.measure_code) as measure_code,
    coalesce(periods.level, summed_days.level) as level,
    coalesce(periods.entity_id, summed_days.entity_id) as entity_id,
    coalesce(periods.period_type, summed_days.period_type) as period_type,
    coalesce(periods.period_start, summed_days.period_start) as period_start,
    periods.numerator,
    summed_days.numerator as summed_numerator,
    periods.n,
    summed_days.n as summed_n
from periods
full outer join summed_days
    on
        periods.measure_code = summed_days.measure_code
        and periods.level = summed_days.level
        and periods.entity_id = summed_days.entity_id
        and periods.period_type = summed_days.period_type
        and periods.period_start = summed_days.period_start
where
    periods.numerator is distinct from summed_days.numerator
    or periods.denominator is distinct from summed_days.denominator
    or periods.n is distinct from summed_days.n
    or periods.excluded_count is distinct from summed_days.excluded_count
