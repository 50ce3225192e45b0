-- One row per month and customer listed for early action. The list of a month is drawn once, on its
-- first night: later nights keep it as published, since somebody may have acted on it by then. A
-- part is held out at random, by a hash that nobody chooses, so that the others can be compared
-- with it.
with published as (

    select * from {{ source("control", "published_early_actions") }}

),

at_risk as (

    select * from {{ ref("int_customers_at_risk") }}
    where value_at_risk_amount > 0

),

days as (

    select * from {{ ref("int_days_dated") }}

),

settings as (

    select * from {{ ref("value_settings") }}
    where segment = '*'

),

shares as (

    select
        at_risk.as_of,
        max(settings.value) filter (
            where settings.setting_code = 'action_share'
        ) as action_share,
        max(settings.value) filter (
            where settings.setting_code = 'action_hold_out_share'
        ) as hold_out_share
    from (select distinct as_of from at_risk) as at_risk
    inner join settings on {{ in_force("settings", "at_risk.as_of") }}
    group by at_risk.as_of

),

candidates as (

    select
        days.month_start as action_month,
        at_risk.as_of as listed_on,
        at_risk.customer_id,
        at_risk.churn_probability,
        at_risk.value_at_risk_amount,
        row_number() over (order by at_risk.value_at_risk_amount desc, at_risk.customer_id asc)
            as action_rank,
        ceil(count(*) over () * shares.action_share) as action_length,
        shares.hold_out_share
    from at_risk
    inner join shares
        on at_risk.as_of = shares.as_of
    inner join days
        on at_risk.as_of = days.date_day
    where days.month_start not in (select action_month from published)

),

listed as (

    select
        *,
        row_number() over (
            order by md5(concat(customer_id, '/', action_month)), customer_id
        ) as draw_rank,
        round(count(*) over () * hold_out_share) as hold_out_length
    from candidates
    where action_rank <= action_length

)

select
    action_month,
    listed_on,
    customer_id,
    case when draw_rank <= hold_out_length then 'hold_out' else 'act' end as action_group,
    cast(action_rank as bigint) as action_rank,
    churn_probability,
    value_at_risk_amount
from listed
union all
select
    action_month,
    listed_on,
    customer_id,
    action_group,
    action_rank,
    churn_probability,
    value_at_risk_amount
from published
