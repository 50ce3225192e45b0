-- One row per period type and period that has begun by `as_of`.
with days as (

    select * from {{ ref("int_days_dated") }}

),

night as (

    select as_of from {{ source("control", "night") }}

),

periods as (

    select distinct
        'day' as period_type,
        date_day as period_start,
        {{ add_days("date_day", 1) }} as period_end
    from days
    union all
    select distinct
        'month' as period_type,
        month_start as period_start,
        month_end as period_end
    from days
    union all
    select distinct
        'quarter' as period_type,
        quarter_start as period_start,
        quarter_end as period_end
    from days

)

select
    periods.period_type,
    periods.period_start,
    periods.period_end,
    {{ days_between("periods.period_start", "periods.period_end") }} as period_days,
    periods.period_end <= {{ add_days("night.as_of", 1) }} as is_complete
from periods
cross join night
where periods.period_start <= night.as_of
