-- One row per day, credit (store, region, department, employee) and channel of questionnaires that
-- invited nobody in the month (a QR code at the till): whoever could have answered, and the
-- answers. For QR codes these are the store's orders at the till, for other channels the orders of
-- known customers; as in the response funnel, once for every questionnaire. An order counts on its
-- own day and an answer on the day it was given. Orders have no touchpoint and answers at a poster
-- no known customer: rates by touchpoint and segment are of invitations alone.
with invitations as (

    select * from {{ ref("int_invitations_credited") }}

),

responses as (

    select * from {{ ref("int_responses_screened") }}

),

orders as (

    select * from {{ ref("int_orders_summed") }}

),

days as (

    select * from {{ ref("int_days_dated") }}

),

invited_channels as (

    select distinct
        days.month_start,
        invitations.survey_code,
        invitations.channel
    from invitations
    inner join days
        on invitations.sent_on = days.date_day
    where invitations.exclusion_reason is null

),

-- Channels with answers only, none of them to an invitation.
opened as (

    select
        responses.*,
        days.month_start
    from responses
    inner join days
        on responses.submitted_on = days.date_day
    left join invitations
        on responses.invitation_id = invitations.invitation_id
    left join invited_channels
        on
            days.month_start = invited_channels.month_start
            and responses.survey_code = invited_channels.survey_code
            and responses.channel = invited_channels.channel
    where
        responses.exclusion_reason is distinct from 'after_as_of'
        and invitations.invitation_id is null
        and invited_channels.channel is null

),

uninvited_channels as (

    select distinct
        month_start,
        survey_code,
        channel
    from opened

),

parts as (

    select
        submitted_on as date_day,
        store_id,
        region,
        department_code,
        employee_id,
        channel,
        case when exclusion_reason is null then 1 else 0 end as answered,
        0 as eligible,
        case when exclusion_reason is null then 0 else 1 end as excluded
    from opened
    union all
    select
        orders.ordered_on as date_day,
        orders.store_id,
        orders.region,
        orders.department_code,
        orders.employee_id,
        uninvited_channels.channel,
        0 as answered,
        1 as eligible,
        0 as excluded
    from orders
    inner join days
        on orders.ordered_on = days.date_day
    inner join uninvited_channels
        on
            days.month_start = uninvited_channels.month_start
            and (
                (uninvited_channels.channel = 'qr' and orders.channel = 'store')
                or (uninvited_channels.channel != 'qr' and orders.customer_id is not null)
            )

)

select
    'response_rate' as measure_code,
    date_day,
    store_id,
    region,
    department_code,
    employee_id,
    cast(null as {{ dbt.type_string() }}) as touchpoint_code,
    cast(null as {{ dbt.type_string() }}) as segment,
    channel,
    cast(sum(answered) as decimal(28, 4)) as numerator,
    cast(sum(eligible) as decimal(28, 4)) as denominator,
    cast(sum(eligible) as bigint) as n,
    cast(sum(answered) as bigint) as favourable_count,
    cast(sum(excluded) as bigint) as excluded_count,
    cast(
        sum(case when department_code is null then eligible else 0 end) as bigint
    ) as uncredited_count
from parts
group by
    date_day,
    store_id,
    region,
    department_code,
    employee_id,
    channel
