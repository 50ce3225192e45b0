-- One row per measure, level, entity and period: the sums behind every result, of the periods in
-- which a day changed. Employees have days in survey measures only.
{{ config(
    materialized="patched",
    patched_by="int_kpi_periods_touched",
    partition=["period_type", "period_start"],
) }}

{% set types = {
    "numerator": "decimal(28, 4)",
    "denominator": "decimal(28, 4)",
    "n": "bigint",
    "favourable_count": "bigint",
    "unfavourable_count": "bigint",
    "score_sum": "decimal(38, 12)",
    "excluded_count": "bigint",
    "uncredited_count": "bigint",
    "screened_count": "bigint",
    "screened_numerator": "bigint",
    "weight_sum": "decimal(18, 6)",
    "weight_square_sum": "decimal(38, 12)",
    "weighted_numerator": "decimal(18, 6)",
} %}
{% set sums %}
        {%- for column, type in types.items() %}
        cast(sum({{ column }}) as {{ type }}) as {{ column }}{{ "," if not loop.last }}
        {%- endfor %}
{%- endset %}
-- A level is summed from the fewest rows that hold it, months and quarters from the parts of
-- periods that both consist of.
{% set levels = {
    "company": {"entity": "'company'", "days": "area_days", "parts": "area_parts"},
    "region": {"entity": "region", "days": "area_days", "parts": "area_parts"},
    "department": {"entity": "department_code", "days": "area_days", "parts": "area_parts"},
    "store": {"entity": "store_id", "days": "place_days", "parts": "place_parts"},
    "employee": {"entity": "employee_id", "days": "credit_days", "parts": "employee_parts"},
    "touchpoint": {"entity": "touchpoint_code", "days": "audience_days", "parts": "audience_parts"},
    "segment": {"entity": "segment", "days": "audience_days", "parts": "audience_parts"},
    "channel": {"entity": "channel", "days": "audience_days", "parts": "audience_parts"},
} %}
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

survey_measures as (

    select distinct measure_code
    from {{ ref("survey_questions") }}
    where measure_code is not null

),

-- The days of the touched periods, with those of their periods that are touched.
days as (

    select
        days.date_day,
        touched_days.period_start is not null as is_touched,
        touched_months.period_start as month_start,
        touched_quarters.period_start as quarter_start
    from {{ ref("int_days_dated") }} as days
    {% for period_type, period_start in {
        "day": "date_day", "month": "month_start", "quarter": "quarter_start"
    }.items() %}
    left join touched as touched_{{ period_type }}s
        on
            touched_{{ period_type }}s.period_type = '{{ period_type }}'
            and days.{{ period_start }} = touched_{{ period_type }}s.period_start
    {% endfor %}
    where
        coalesce(
            touched_days.period_start,
            touched_months.period_start,
            touched_quarters.period_start
        ) is not null

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
        {{- sums }}
    from {{ basis["from"] }}
    group by
        measure_code,
        {{ basis["by"] }}

),

{% endfor %}
summed as (

    {% for level, basis in levels.items() %}
    {% set is_last_level = loop.last %}
    {% for period_type in ["day", "month", "quarter"] %}
    {% set period_start = "date_day" if period_type == "day" else period_type ~ "_start" %}
    select
        measure_code,
        '{{ level }}' as level,
        {{ basis["entity"] }} as entity_id,
        '{{ period_type }}' as period_type,
        {{ period_start }} as period_start,
        {{- sums }}
    from {{ basis["days" if period_type == "day" else "parts"] }}
    where
        {{ "is_touched" if period_type == "day" else period_start ~ " is not null" }}
        and {{ basis["entity"] }} is not null
        {% if level == "employee" and period_type == "day" %}
        and measure_code in (select survey_measures.measure_code from survey_measures)
        {% endif %}
    group by
        measure_code,
        {{ basis["entity"] ~ "," if level != "company" }}
        {{ period_start }}
    {{ "union all" if not (loop.last and is_last_level) }}
    {% endfor %}
    {% endfor %}

)

select
    measure_code,
    level,
    entity_id,
    period_type,
    period_start,
    {{ types.keys() | join(",\n    ") }}
from summed
