-- One row per day, from the first event to the end of the quarter of `as_of`, with the month and
-- quarter it is in.
with night as (

    select as_of from {{ source("control", "night") }}

),

first_events as (

    select {{ local_day("min(ordered_at)") }} as first_day from {{ ref("stg_sales__order_lines") }}
    union all
    select {{ local_day("min(submitted_at)") }} as first_day
    from {{ ref("stg_survey__responses") }}
    union all
    select min(period_start) as first_day from {{ ref("stg_hr__measure_values") }}
    union all
    select as_of as first_day from night

),

bounds as (

    select
        cast({{ dbt.date_trunc("quarter", "min(first_events.first_day)") }} as date) as first_day,
        {{ add_days(add_months(
            "cast(" ~ dbt.date_trunc("quarter", "max(night.as_of)") ~ " as date)", 3
        ), -1) }} as last_day
    from first_events
    cross join night

),

days as (

    select {{ expand_days("first_day", "last_day") }} as date_day
    from bounds

),

-- A fiscal period replaces the calendar's for the days it covers; what it leaves of a calendar
-- month or quarter, before and after it, are periods of their own, never an overlap. The fiscal
-- days passed tell the days before it from those after it.
grouped as (

    select
        days.date_day,
        fiscal_months.period_start as fiscal_month_start,
        fiscal_months.period_end as fiscal_month_end,
        fiscal_quarters.period_start as fiscal_quarter_start,
        fiscal_quarters.period_end as fiscal_quarter_end,
        count(fiscal_months.period_start) over (order by days.date_day) as fiscal_month_days,
        count(fiscal_quarters.period_start) over (order by days.date_day) as fiscal_quarter_days,
        cast({{ dbt.date_trunc("month", "days.date_day") }} as date) as calendar_month_start,
        cast({{ dbt.date_trunc("quarter", "days.date_day") }} as date) as calendar_quarter_start
    from days
    left join {{ ref("fiscal_periods") }} as fiscal_months
        on
            fiscal_months.period_type = 'month'
            and days.date_day >= fiscal_months.period_start
            and days.date_day < fiscal_months.period_end
    left join {{ ref("fiscal_periods") }} as fiscal_quarters
        on
            fiscal_quarters.period_type = 'quarter'
            and days.date_day >= fiscal_quarters.period_start
            and days.date_day < fiscal_quarters.period_end

)

select
    date_day,
    coalesce(fiscal_month_start, min(date_day) over calendar_month) as month_start,
    coalesce(
        fiscal_month_end, {{ add_days("max(date_day) over calendar_month", 1) }}
    ) as month_end,
    coalesce(fiscal_quarter_start, min(date_day) over calendar_quarter) as quarter_start,
    coalesce(
        fiscal_quarter_end, {{ add_days("max(date_day) over calendar_quarter", 1) }}
    ) as quarter_end
from grouped
window
    calendar_month as (
        partition by calendar_month_start, fiscal_month_start, fiscal_month_days
    ),
    calendar_quarter as (
        partition by calendar_quarter_start, fiscal_quarter_start, fiscal_quarter_days
    )
