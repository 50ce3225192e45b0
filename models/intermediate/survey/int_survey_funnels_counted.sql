-- One row per month, questionnaire, channel and store: asked, opened, completed. Who was invited is
-- followed through whenever they answer, in the month of the invitation. Where a questionnaire and
-- channel had no invitations in a month (a QR poster at the till), whoever could have answered is
-- taken instead: the store's orders at the till for QR, the orders of known customers for other
-- channels. Responses without an invitation beside invited ones are walk-ins, in no rate.
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

answered as (

    select
        response_id,
        count(*) filter (where exclusion_reason is null and measure_code is not null)
            as answer_count
    from {{ ref("int_answers_scored") }}
    group by response_id

),

opened as (

    select
        responses.response_id,
        responses.invitation_id,
        responses.survey_code,
        responses.channel,
        responses.store_id,
        days.month_start,
        case when coalesce(answered.answer_count, 0) > 0 then 1 else 0 end as is_completed
    from responses
    inner join days
        on responses.submitted_on = days.date_day
    left join answered
        on responses.response_id = answered.response_id
    where responses.exclusion_reason is distinct from 'after_as_of'

),

opened_invitations as (

    select
        invitation_id,
        max(is_completed) as is_completed
    from opened
    where invitation_id is not null
    group by invitation_id

),

invited as (

    select
        days.month_start,
        invitations.survey_code,
        invitations.channel,
        invitations.store_id,
        count(*) as invited_count,
        count(opened_invitations.invitation_id) as started_count,
        coalesce(sum(opened_invitations.is_completed), 0) as completed_count
    from invitations
    inner join days
        on invitations.sent_on = days.date_day
    left join opened_invitations
        on invitations.invitation_id = opened_invitations.invitation_id
    where invitations.exclusion_reason is null
    group by
        days.month_start, invitations.survey_code, invitations.channel, invitations.store_id

),

invited_channels as (

    select distinct
        month_start,
        survey_code,
        channel
    from invited

),

uninvited as (

    select
        opened.month_start,
        opened.survey_code,
        opened.channel,
        opened.store_id,
        invited_channels.channel is not null as is_walk_in,
        count(*) as started_count,
        sum(opened.is_completed) as completed_count
    from opened
    left join invitations
        on opened.invitation_id = invitations.invitation_id
    left join invited_channels
        on
            opened.month_start = invited_channels.month_start
            and opened.survey_code = invited_channels.survey_code
            and opened.channel = invited_channels.channel
    where invitations.invitation_id is null
    group by
        opened.month_start,
        opened.survey_code,
        opened.channel,
        opened.store_id,
        invited_channels.channel is not null

),

orders_counted as (

    select
        days.month_start,
        orders.store_id,
        count(*) filter (where orders.channel = 'store') as till_order_count,
        count(orders.customer_id) as known_customer_order_count
    from orders
    inner join days
        on orders.ordered_on = days.date_day
    group by days.month_start, orders.store_id

),

uninvited_channels as (

    select distinct
        month_start,
        survey_code,
        channel
    from uninvited
    where not is_walk_in

),

eligible as (

    select
        uninvited_channels.month_start,
        uninvited_channels.survey_code,
        uninvited_channels.channel,
        orders_counted.store_id,
        case
            when uninvited_channels.channel = 'qr' then orders_counted.till_order_count
            else orders_counted.known_customer_order_count
        end as eligible_order_count
    from uninvited_channels
    inner join orders_counted
        on uninvited_channels.month_start = orders_counted.month_start

),

parts as (

    select
        month_start,
        survey_code,
        channel,
        store_id,
        invited_count,
        0 as eligible_order_count,
        started_count,
        completed_count,
        0 as walk_in_count
    from invited
    union all
    select
        month_start,
        survey_code,
        channel,
        store_id,
        0 as invited_count,
        0 as eligible_order_count,
        case when is_walk_in then 0 else started_count end as started_count,
        case when is_walk_in then 0 else completed_count end as completed_count,
        case when is_walk_in then started_count else 0 end as walk_in_count
    from uninvited
    union all
    select
        month_start,
        survey_code,
        channel,
        store_id,
        0 as invited_count,
        eligible_order_count,
        0 as started_count,
        0 as completed_count,
        0 as walk_in_count
    from eligible

)

select
    month_start,
    survey_code,
    channel,
    store_id,
    sum(invited_count) as invited_count,
    sum(eligible_order_count) as eligible_order_count,
    sum(started_count) as started_count,
    sum(completed_count) as completed_count,
    sum(walk_in_count) as walk_in_count
from parts
group by month_start, survey_code, channel, store_id
