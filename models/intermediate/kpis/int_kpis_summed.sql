-- One row per measure, level, entity and period: the sums behind every result, of the periods in
-- which a day changed. Employees have days in survey measures only.
{{ config(
    materialized="patched",
    patched_by="int_kpi_periods_touched",
    partition=["period_type", "period_start"],
) }}

{% set levels = {
    "credit": {
        "company": "'company'",
        "region": "region",
        "store": "store_id",
        "department": "department_code",
        "employee": "employee_id",
    },
    "audience": {
        "touchpoint": "touchpoint_code",
        "segment": "segment",
        "channel": "channel",
    },
} %}
{% set columns = {
    "credit": ["store_id", "region", "department_code", "employee_id"],
    "audience": ["touchpoint_code", "segment", "channel"],
} %}
{% set period_starts = {"day": "date_day", "month": "month_start", "quarter": "quarter_start"} %}

with touched as (

    select * from {{ ref("int_kpi_periods_touched") }}

),

survey_measures as (

    select distinct measure_code
    from {{ ref("survey_questions") }}
    where measure_code is not null

),

-- The days of the touched periods.
touched_days as (

    {% for period_type, period_start in period_starts.items() %}
    select
        touched.period_type,
        touched.period_start,
        days.date_day
    from touched
    inner join {{ ref("int_days_dated") }} as days
        on
            touched.period_type = '{{ period_type }}'
            and touched.period_start = days.{{ period_start }}
    {{ "union all" if not loop.last }}
    {% endfor %}

),

{% for grouping, relation in {
    "credit": ref("int_kpis_counted_daily"), "audience": ref("int_kpi_audiences_counted_daily")
}.items() %}
-- Months and quarters are summed by what they are split by first: their levels are then few rows.
{{ grouping }}_counts as (

    select
        counts.measure_code,
        {% for column in columns[grouping] %}
        counts.{{ column }},
        {% endfor %}
        touched_days.period_type,
        touched_days.period_start,
        sum(counts.numerator) as numerator,
        sum(counts.denominator) as denominator,
        sum(counts.n) as n,
        sum(counts.favourable_count) as favourable_count,
        sum(counts.unfavourable_count) as unfavourable_count,
        sum(counts.score_sum) as score_sum,
        sum(counts.excluded_count) as excluded_count,
        sum(counts.uncredited_count) as uncredited_count,
        sum(counts.screened_count) as screened_count,
        sum(counts.screened_numerator) as screened_numerator,
        sum(counts.weight_sum) as weight_sum,
        sum(counts.weight_square_sum) as weight_square_sum,
        sum(counts.weighted_numerator) as weighted_numerator
    from {{ relation }} as counts
    inner join touched_days
        on
            counts.date_day = touched_days.date_day
            and touched_days.period_type != 'day'
    group by
        counts.measure_code,
        {% for column in columns[grouping] %}
        counts.{{ column }},
        {% endfor %}
        touched_days.period_type,
        touched_days.period_start
    union all
    select
        counts.measure_code,
        {% for column in columns[grouping] %}
        counts.{{ column }},
        {% endfor %}
        touched_days.period_type,
        touched_days.period_start,
        counts.numerator,
        counts.denominator,
        counts.n,
        counts.favourable_count,
        counts.unfavourable_count,
        counts.score_sum,
        counts.excluded_count,
        counts.uncredited_count,
        counts.screened_count,
        counts.screened_numerator,
        counts.weight_sum,
        counts.weight_square_sum,
        counts.weighted_numerator
    from {{ relation }} as counts
    inner join touched_days
        on
            counts.date_day = touched_days.date_day
            and touched_days.period_type = 'day'

),

{% endfor %}
summed as (

    {% for grouping, entities in levels.items() %}
    {% set is_last_grouping = loop.last %}
    {% for level, entity in entities.items() %}
    select
        measure_code,
        '{{ level }}' as level,
        {{ entity }} as entity_id,
        period_type,
        period_start,
        cast(sum(numerator) as decimal(28, 4)) as numerator,
        cast(sum(denominator) as decimal(28, 4)) as denominator,
        cast(sum(n) as bigint) as n,
        cast(sum(favourable_count) as bigint) as favourable_count,
        cast(sum(unfavourable_count) as bigint) as unfavourable_count,
        cast(sum(score_sum) as decimal(38, 12)) as score_sum,
        cast(sum(excluded_count) as bigint) as excluded_count,
        cast(sum(uncredited_count) as bigint) as uncredited_count,
        cast(sum(screened_count) as bigint) as screened_count,
        cast(sum(screened_numerator) as decimal(28, 4)) as screened_numerator,
        cast(sum(weight_sum) as decimal(38, 12)) as weight_sum,
        cast(sum(weight_square_sum) as decimal(38, 12)) as weight_square_sum,
        cast(sum(weighted_numerator) as decimal(38, 12)) as weighted_numerator
    from {{ grouping }}_counts
    where
        {{ entity }} is not null
        {% if level == "employee" %}
        and (
            period_type != 'day'
            or measure_code in (select survey_measures.measure_code from survey_measures)
        )
        {% endif %}
    group by measure_code, {{ entity ~ "," if level != "company" }} period_type, period_start
    {{ "union all" if not (loop.last and is_last_grouping) }}
    {% endfor %}
    {% endfor %}

)

select
    measure_code,
    level,
    entity_id,
    period_type,
    period_start,
    numerator,
    denominator,
    n,
    favourable_count,
    unfavourable_count,
    score_sum,
    excluded_count,
    uncredited_count,
    screened_count,
    screened_numerator,
    weight_sum,
    weight_square_sum,
    weighted_numerator
from summed
