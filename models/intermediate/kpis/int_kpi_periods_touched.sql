-- One row per period of which something is not as it was when its results were made: the counts of
-- a day, a supplied value, a target, the role of an employee, the definition of a measure, whether
-- the period is complete, or the code.
{% set sums = {
    "int_sales_counted_daily": ["store_id", "region", "department_code", "employee_id"],
    "int_response_rates_counted_daily": [
        "store_id", "region", "department_code", "employee_id",
        "touchpoint_code", "segment", "channel",
    ],
    "int_tickets_counted_daily": [
        "store_id", "region", "department_code", "employee_id",
        "touchpoint_code", "segment", "channel",
    ],
} %}
{% set period_starts = {"day": "date_day", "month": "month_start", "quarter": "quarter_start"} %}

with days as (

    select * from {{ ref("int_days_dated") }}

),

day_stamps as (

    select
        date_day,
        day_stamp
    from {{ ref("int_survey_days_counted") }}
    {% for counts, credit in sums.items() %}
    union all
    select
        date_day,
        sum({{ row_stamp(
            ["measure_code", "date_day"] + credit
            + ["numerator", "denominator", "n", "favourable_count", "excluded_count"]
        ) }}) as day_stamp
    from {{ ref(counts) }}
    group by date_day
    {% endfor %}

),

definitions as (

    select
        coalesce(sum(stamp), 0) + {{ code_stamp() }} as stamp
    from (
        select {{ row_stamp([
            "measure_code", "unit", "direction", "minimum_n", "minimum_n_shown",
            "definition_version", "valid_from", "valid_to",
        ]) }} as stamp
        from {{ ref("measures") }}
        union all
        select {{ row_stamp(["question_code", "measure_code"]) }} as stamp
        from {{ ref("survey_questions") }}
    ) as stamps

),

stamps as (

    {% for period_type, period_start in period_starts.items() %}
    select
        '{{ period_type }}' as period_type,
        days.{{ period_start }} as period_start,
        day_stamps.day_stamp as stamp
    from day_stamps
    inner join days
        on day_stamps.date_day = days.date_day
    union all
    {% endfor %}
    select
        period_type,
        period_start,
        {{ row_stamp([
            "measure_code", "level", "entity_id", "numerator", "denominator", "n",
            "favourable_count", "unfavourable_count", "score_sum", "excluded_count", "value",
            "ci_low", "ci_high", "delivered_value", "delivered_floor", "delivered_threshold",
            "delivered_benchmark", "baseline", "origin",
        ]) }} as stamp
    from {{ ref("int_kpis_supplied") }}
    union all
    select
        period_type,
        period_start,
        {{ row_stamp([
            "measure_code", "level", "entity_id", "floor", "threshold", "target", "stretch"
        ]) }} as stamp
    from {{ ref("int_targets_resolved") }}
    union all
    select
        period_type,
        period_start,
        {{ row_stamp(["employee_id", "job_role"]) }} as stamp
    from {{ ref("int_employees_peered") }}

),

summed as (

    select
        period_type,
        period_start,
        sum(stamp) as stamp
    from stamps
    group by period_type, period_start

),

wanted as (

    select
        periods.period_type,
        periods.period_start,
        coalesce(summed.stamp, 0)
        + definitions.stamp
        + {{ row_stamp(["periods.period_end", "periods.is_complete"]) }} as period_stamp
    from {{ ref("int_periods_listed") }} as periods
    cross join definitions
    left join summed
        on
            periods.period_type = summed.period_type
            and periods.period_start = summed.period_start

),

counted as (

    {{ stamps_in_book(
        "int_kpi_periods_counted",
        ["int_kpis_summed", "int_kpis_estimated", "int_kpis_shrunken"],
        {"period_type": "varchar", "period_start": "date"},
        "period_stamp",
    ) }}

)

select
    coalesce(wanted.period_type, counted.period_type) as period_type,
    coalesce(wanted.period_start, counted.period_start) as period_start,
    cast(wanted.period_stamp as decimal(38, 0)) as period_stamp
from wanted
full outer join counted
    on
        wanted.period_type = counted.period_type
        and wanted.period_start = counted.period_start
where wanted.period_stamp is distinct from counted.period_stamp
