-- One row per customer who was asked more often within some window than the limit: the fullest
-- window, the latest of equals.
with invitations as (

    select * from {{ ref("int_invitations_credited") }}

),

thresholds as (

    select * from {{ ref("survey_thresholds") }}

),

answered as (

    select distinct invitation_id
    from {{ ref("int_responses_screened") }}
    where invitation_id is not null

),

asked as (

    select
        invitations.invitation_id as event_id,
        invitations.customer_id as owner_id,
        invitations.sent_on,
        {{ seconds_of("invitations.sent_at") }} as at_second,
        thresholds.window_minutes * 60 as window_seconds,
        thresholds.limit_count
    from invitations
    inner join thresholds
        on
            thresholds.rule_code = 'asked_too_often'
            and {{ in_force("thresholds", "invitations.sent_on") }}
    where invitations.customer_id is not null and invitations.exclusion_reason is null
    qualify count(*) over (partition by invitations.customer_id) > thresholds.limit_count

),

pairs as (

    {{ events_within_window("asked") }}

),

windows as (

    select
        pairs.window_id,
        pairs.owner_id as customer_id,
        max(ends.sent_on) as window_end,
        min(members.sent_on) as window_start,
        count(*) as invited_count,
        count(answered.invitation_id) as answered_count,
        max(ends.limit_count) as limit_count
    from pairs
    inner join asked as ends
        on pairs.window_id = ends.event_id
    inner join asked as members
        on pairs.member_id = members.event_id
    left join answered
        on pairs.member_id = answered.invitation_id
    group by pairs.window_id, pairs.owner_id

)

select
    customer_id,
    window_start,
    window_end,
    invited_count,
    answered_count
from windows
where invited_count > limit_count
qualify
    row_number() over (
        partition by customer_id order by invited_count desc, window_end desc, window_id asc
    ) = 1
