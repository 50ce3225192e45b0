-- One row per measure, level, entity and period: the sums behind every result. Employees are summed
-- per month and quarter, everybody else per day too.
{% set levels = {
    "company": "'company'",
    "region": "region",
    "store": "store_id",
    "department": "department_code",
    "employee": "employee_id",
} %}
{% set period_starts = {"day": "date_day", "month": "month_start", "quarter": "quarter_start"} %}

with daily as (

    select
        counts.*,
        days.month_start,
        days.quarter_start
    from {{ ref("int_kpis_counted_daily") }} as counts
    inner join {{ ref("int_days_dated") }} as days
        on counts.date_day = days.date_day

),

{% for period_type, period_start in period_starts.items() %}
{{ period_type }}_counts as (

    select
        measure_code,
        store_id,
        region,
        department_code,
        employee_id,
        '{{ period_type }}' as period_type,
        {{ period_start }} as period_start,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        sum(n) as n,
        sum(favourable_count) as favourable_count,
        sum(unfavourable_count) as unfavourable_count,
        sum(score_sum) as score_sum,
        sum(excluded_count) as excluded_count
    from daily
    group by measure_code, store_id, region, department_code, employee_id, {{ period_start }}

),

{% endfor %}
counts_by_level as (

    {% for level, entity in levels.items() %}
    {% for period_type in period_starts if not (level == "employee" and period_type == "day") %}
    select
        measure_code,
        '{{ level }}' as level,
        {{ entity }} as entity_id,
        period_type,
        period_start,
        numerator,
        denominator,
        n,
        favourable_count,
        unfavourable_count,
        score_sum,
        excluded_count
    from {{ period_type }}_counts
    where {{ entity }} is not null
    {{ "union all" if not loop.last }}
    {% endfor %}
    {{ "union all" if not loop.last }}
    {% endfor %}

)

select
    measure_code,
    level,
    entity_id,
    period_type,
    period_start,
    cast(sum(numerator) as decimal(28, 4)) as numerator,
    cast(sum(denominator) as decimal(28, 4)) as denominator,
    cast(sum(n) as bigint) as n,
    cast(sum(favourable_count) as bigint) as favourable_count,
    cast(sum(unfavourable_count) as bigint) as unfavourable_count,
    cast(sum(score_sum) as decimal(38, 12)) as score_sum,
    cast(sum(excluded_count) as bigint) as excluded_count
from counts_by_level
group by measure_code, level, entity_id, period_type, period_start
