-- One row per month's list: who came back within the window after it was drawn, of those acted on
-- and of those held out, and the difference, which is what acting did. Everybody of a group counts,
-- whether reached or not: leaving out who was not reached would compare unlike customers. Interval
-- of the difference by Newcombe's method from the Wilson bounds of both shares.
with listed as (

    select * from {{ ref("int_early_actions_listed") }}

),

purchases as (

    select * from {{ ref("int_customer_purchases_dated") }}

),

settings as (

    select * from {{ ref("value_settings") }}
    where segment = '*' and setting_code = 'action_window_days'

),

night as (

    select as_of from {{ source("control", "night") }}

),

windows as (

    select
        listed.action_month,
        listed.customer_id,
        listed.action_group,
        {{ add_days("listed.listed_on", "cast(settings.value as integer)") }} as window_end,
        listed.listed_on
    from listed
    inner join settings on {{ in_force("settings", "listed.listed_on") }}

),

outcomes as (

    select
        windows.action_month,
        windows.action_group,
        windows.customer_id,
        max(windows.window_end) as window_end,
        count(purchases.customer_id) > 0 as has_returned
    from windows
    left join purchases
        on
            windows.customer_id = purchases.customer_id
            and windows.listed_on < purchases.ordered_on
            and windows.window_end >= purchases.ordered_on
    group by windows.action_month, windows.action_group, windows.customer_id

),

counted as (

    select
        outcomes.action_month,
        max(outcomes.window_end) as window_end,
        max(outcomes.window_end) <= max(night.as_of) as is_known,
        count(*) filter (where outcomes.action_group = 'act') as acted_customers,
        count(*) filter (where outcomes.action_group = 'hold_out') as held_out_customers,
        count(*) filter (where outcomes.action_group = 'act' and outcomes.has_returned)
            as acted_returned,
        count(*) filter (where outcomes.action_group = 'hold_out' and outcomes.has_returned)
            as held_out_returned
    from outcomes
    cross join night
    group by outcomes.action_month

),

shares as (

    select
        *,
        cast(acted_returned as double) / nullif(acted_customers, 0) as acted_share,
        cast(held_out_returned as double) / nullif(held_out_customers, 0) as held_out_share,
        {{ wilson_bound("acted_returned", "acted_customers", "low") }} as acted_low,
        {{ wilson_bound("acted_returned", "acted_customers", "high") }} as acted_high,
        {{ wilson_bound("held_out_returned", "held_out_customers", "low") }} as held_out_low,
        {{ wilson_bound("held_out_returned", "held_out_customers", "high") }} as held_out_high
    from counted

)

select
    action_month,
    window_end,
    acted_customers,
    held_out_customers,
    case when is_known then acted_returned end as acted_returned,
    case when is_known then held_out_returned end as held_out_returned,
    case when is_known then acted_share - held_out_share end as uplift_ratio,
    case
        when is_known
            then
                acted_share - held_out_share
                - sqrt(
                    power(acted_share - acted_low, 2) + power(held_out_high - held_out_share, 2)
                )
    end as ci_low,
    case
        when is_known
            then
                acted_share - held_out_share
                + sqrt(
                    power(acted_high - acted_share, 2) + power(held_out_share - held_out_low, 2)
                )
    end as ci_high,
    case
        when not is_known then 'window_has_not_passed'
        when held_out_customers = 0 or acted_customers = 0 then 'nobody_to_compare'
    end as missing_reason
from shares
