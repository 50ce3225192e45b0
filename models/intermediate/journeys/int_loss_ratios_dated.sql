-- One row per touchpoint and range of days: the share of the purchases that do not come after a bad
-- experience there which would have come after a good one, (good - bad) / (1 - bad) of the adjusted
-- repurchase rates. Zero unless the effect is proven: its whole 95 % interval is a loss, on enough
-- bad experiences. The first estimate on enough experiences also serves the days before it.
with estimates as (

    select
        estimates.known_on,
        estimates.touchpoint_code,
        case
            when estimates.ci_high < 0 and estimates.bad_mean < 1
                then least(0.999999, -estimates.effect / (1 - estimates.bad_mean))
            else 0.0
        end as loss_ratio
    from {{ ref("int_key_touchpoints_estimated") }} as estimates
    cross join {{ ref("int_journey_settings_listed") }} as settings
    where
        estimates.outcome_code = 'repurchase'
        and estimates.effect is not null
        and estimates.bad_count >= settings.minimum_bad_orders

)

select
    touchpoint_code,
    case
        when lag(known_on) over touchpoint_days is null then cast('0001-01-01' as date)
        else known_on
    end as valid_from,
    coalesce(lead(known_on) over touchpoint_days, cast('9999-12-31' as date)) as valid_to,
    known_on as estimated_on,
    cast(loss_ratio as decimal(18, 8)) as loss_ratio
from estimates
window touchpoint_days as (partition by touchpoint_code order by known_on)
