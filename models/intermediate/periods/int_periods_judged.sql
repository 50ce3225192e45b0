-- One row per month and quarter whose scorecards and pay are computed tonight: open ones, closed
-- ones that late data would change, and closed ones that this warehouse never computed.
with periods as (

    select * from {{ ref("int_periods_listed") }}
    where period_type in ('month', 'quarter')

),

closed as (

    select
        period_type,
        period_start
    from {{ source("control", "ledger_periods") }}
    where state in ('closed', 'paid')

),

reopened as (

    select * from {{ ref("int_periods_reopened") }}

),

scored as (

    {{ scored_periods() }}

)

select
    periods.period_type,
    periods.period_start,
    periods.period_end,
    periods.period_days,
    periods.is_complete,
    closed.period_start is not null as is_closed,
    reopened.period_start is not null as has_late_data
from periods
left join closed
    on
        periods.period_type = closed.period_type
        and periods.period_start = closed.period_start
left join reopened
    on
        periods.period_type = reopened.period_type
        and periods.period_start = reopened.period_start
left join scored
    on
        periods.period_type = scored.period_type
        and periods.period_start = scored.period_start
where
    closed.period_start is null
    or reopened.period_start is not null
    or scored.period_start is null
