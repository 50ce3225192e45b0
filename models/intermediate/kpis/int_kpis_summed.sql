-- One row per measure, level, entity and period: the sums behind every result, of the periods in
-- which a day changed. A quarter is the sum of its months, of which most stand from the night
-- before; only what it has of a month that lies in two quarters (of a fiscal calendar) is summed
-- from days. Employees are summed per month and quarter: int_kpis_estimated reads their days from
-- the daily counts.
{{ config(
    materialized="patched",
    patched_by="int_kpi_periods_touched",
    partition=["period_type", "period_start"],
) }}

-- A level is summed from the fewest rows that hold it.
{% set levels = {
    "company": {"entity": "'company'", "days": "area_days", "parts": "area_parts"},
    "region": {"entity": "region", "days": "area_days", "parts": "area_parts"},
    "department": {"entity": "department_code", "days": "area_days", "parts": "area_parts"},
    "store": {"entity": "store_id", "days": "place_days", "parts": "place_parts"},
    "employee": {"entity": "employee_id", "parts": "employee_parts", "of": ["month", "quarter"]},
    "touchpoint": {"entity": "touchpoint_code", "days": "audience_days", "parts": "audience_parts"},
    "segment": {"entity": "segment", "days": "audience_days", "parts": "audience_parts"},
    "channel": {"entity": "channel", "days": "audience_days", "parts": "audience_parts"},
} %}
{% set columns = ["measure_code", "level", "entity_id", "period_type", "period_start"]
    + (kpi_sum_types() | list) %}
{% set groupings = {
    "place_days": {
        "from": "credit_days", "by": "date_day, is_touched, month_start, quarter_start, "
        ~ "store_id, region, department_code",
    },
    "area_days": {
        "from": "place_days", "by": "date_day, is_touched, region, department_code",
    },
    "place_parts": {
        "from": "place_days", "by": "month_start, quarter_start, store_id, region, department_code",
    },
    "area_parts": {
        "from": "place_parts", "by": "month_start, quarter_start, region, department_code",
    },
    "employee_parts": {
        "from": "credit_days", "by": "month_start, quarter_start, employee_id",
    },
    "audience_parts": {
        "from": "audience_days",
        "by": "month_start, quarter_start, touchpoint_code, segment, channel",
    },
} %}

with touched as (

    select * from {{ ref("int_kpi_periods_touched") }}

),

months as (

    select
        month_start,
        min(quarter_start) as quarter_start,
        min(quarter_start) = max(quarter_start) as is_in_one_quarter
    from {{ ref("int_days_dated") }}
    group by month_start

),

-- Months of touched quarters that stand from the night before.
standing_months as (

    select
        months.month_start,
        months.quarter_start
    from months
    inner join touched as touched_quarters
        on
            touched_quarters.period_type = 'quarter'
            and months.quarter_start = touched_quarters.period_start
    left join touched as touched_months
        on
            touched_months.period_type = 'month'
            and months.month_start = touched_months.period_start
    where months.is_in_one_quarter and touched_months.period_start is null

),

-- The days of what is summed from days, with the periods among it that they are in.
days as (

    select
        days.date_day,
        touched_days.period_start is not null as is_touched,
        touched_months.period_start as month_start,
        case when not months.is_in_one_quarter then touched_quarters.period_start end
            as quarter_start
    from {{ ref("int_days_dated") }} as days
    inner join months
        on days.month_start = months.month_start
    {% for period_type, period_start in {
        "day": "date_day", "month": "month_start", "quarter": "quarter_start"
    }.items() %}
    left join touched as touched_{{ period_type }}s
        on
            touched_{{ period_type }}s.period_type = '{{ period_type }}'
            and days.{{ period_start }} = touched_{{ period_type }}s.period_start
    {% endfor %}
    where
        touched_days.period_start is not null
        or touched_months.period_start is not null
        or (touched_quarters.period_start is not null and not months.is_in_one_quarter)

),

{% for grouping, relation in {
    "credit": ref("int_kpis_counted_daily"), "audience": ref("int_kpi_audiences_counted_daily")
}.items() %}
{{ grouping }}_days as (

    select
        counts.*,
        days.is_touched,
        days.month_start,
        days.quarter_start
    from {{ relation }} as counts
    inner join days
        on counts.date_day = days.date_day

),

{% endfor %}
{% for grouping, basis in groupings.items() %}
{{ grouping }} as (

    select
        measure_code,
        {{ basis["by"] }},
        {{- kpi_sums() | indent(4) }}
    from {{ basis["from"] }}
    group by
        measure_code,
        {{ basis["by"] }}

),

{% endfor %}
from_days as (

    {% for level, basis in levels.items() %}
    {% set is_last_level = loop.last %}
    {% for period_type in basis["of"] | default(["day", "month", "quarter"]) %}
    {% set period_start = "date_day" if period_type == "day" else period_type ~ "_start" %}
    select
        measure_code,
        '{{ level }}' as level,
        {{ basis["entity"] }} as entity_id,
        '{{ period_type }}' as period_type,
        {{ period_start }} as period_start,
        {{- kpi_sums() | indent(4) }}
    from {{ basis["days" if period_type == "day" else "parts"] }}
    where
        {{ "is_touched" if period_type == "day" else period_start ~ " is not null" }}
        and {{ basis["entity"] }} is not null
    group by
        measure_code,
        {{ basis["entity"] ~ "," if level != "company" }}
        {{ period_start }}
    {{ "union all" if not (loop.last and is_last_level) }}
    {% endfor %}
    {% endfor %}

),

-- The parts of touched quarters: months made now, months that stand, and days.
quarter_parts as (

    select
        from_days.*,
        months.quarter_start
    from from_days
    inner join months
        on from_days.period_start = months.month_start and months.is_in_one_quarter
    where from_days.period_type = 'month'
    union all
    select
        *,
        period_start as quarter_start
    from from_days
    where period_type = 'quarter'
    {% if stands(columns) %}
    union all
    select
        {% for column in columns %}
        existing.{{ column }},
        {% endfor %}
        standing_months.quarter_start
    from {{ this }} as existing
    inner join standing_months
        on existing.period_start = standing_months.month_start
    where existing.period_type = 'month'
    {% endif %}

),

summed as (

    select * from from_days
    where period_type != 'quarter'
    union all
    select
        parts.measure_code,
        parts.level,
        parts.entity_id,
        'quarter' as period_type,
        parts.quarter_start as period_start,
        {{- kpi_sums() | indent(4) }}
    from quarter_parts as parts
    inner join touched
        on
            touched.period_type = 'quarter'
            and parts.quarter_start = touched.period_start
    group by parts.measure_code, parts.level, parts.entity_id, parts.quarter_start

)

select {{ columns | join(", ") }}
from summed
