-- The days of employees hold every credited answer of the day once: measure by measure they add up
-- to what was counted, but for the days of an employee whose value was delivered.
{{ config(meta={"dagster": {"ref": {"name": "int_kpis_estimated"}}}) }}

with delivered as (

    select
        measure_code,
        entity_id,
        period_start
    from {{ ref("int_kpis_estimated") }}
    where
        level = 'employee'
        and period_type = 'day'
        and is_delivered

),

counted as (

    select
        counts.measure_code,
        counts.date_day,
        sum(counts.numerator) as numerator,
        sum(counts.denominator) as denominator,
        sum(counts.n) as n,
        sum(counts.excluded_count) as excluded_count
    from {{ ref("int_survey_counted_daily") }} as counts
    inner join {{ ref("measures") }} as measures
        on
            counts.measure_code = measures.measure_code
            and {{ in_force("measures", "counts.date_day") }}
    left join delivered
        on
            counts.measure_code = delivered.measure_code
            and counts.employee_id = delivered.entity_id
            and counts.date_day = delivered.period_start
    where
        counts.employee_id is not null
        and delivered.measure_code is null
    group by counts.measure_code, counts.date_day

),

estimated as (

    select
        measure_code,
        period_start as date_day,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        sum(n) as n,
        sum(excluded_count) as excluded_count
    from {{ ref("int_kpis_estimated") }}
    where
        level = 'employee'
        and period_type = 'day'
        and not is_delivered
    group by measure_code, period_start

)

select
    coalesce(counted.measure_code, estimated.measure_code) as measure_code,
    coalesce(counted.date_day, estimated.date_day) as date_day,
    counted.n as counted_n,
    estimated.n as estimated_n,
    counted.numerator as counted_numerator,
    estimated.numerator as estimated_numerator
from counted
full outer join estimated
    on
        counted.measure_code = estimated.measure_code
        and counted.date_day = estimated.date_day
where
    counted.numerator is distinct from estimated.numerator
    or counted.denominator is distinct from estimated.denominator
    or counted.n is distinct from estimated.n
    or counted.excluded_count is distinct from estimated.excluded_count
