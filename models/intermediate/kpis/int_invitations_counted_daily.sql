-- One row per day an invitation was sent on, its credit (store, region, department, employee), and
-- who was asked, where and how: invitations, and those of them that were answered. An invitation
-- answered twice is answered once; an answer that does not count is none.
with invitations as (

    select * from {{ ref("int_invitations_credited") }}

),

answered as (

    select distinct invitation_id
    from {{ ref("int_responses_screened") }}
    where invitation_id is not null and exclusion_reason is null

)

select
    'response_rate' as measure_code,
    invitations.sent_on as date_day,
    invitations.store_id,
    invitations.region,
    invitations.department_code,
    invitations.employee_id,
    invitations.touchpoint_code,
    invitations.segment,
    invitations.channel,
    cast(
        count(answered.invitation_id) filter (where invitations.exclusion_reason is null)
        as decimal(28, 4)
    ) as numerator,
    cast(
        count(*) filter (where invitations.exclusion_reason is null) as decimal(28, 4)
    ) as denominator,
    count(*) filter (where invitations.exclusion_reason is null) as n,
    count(answered.invitation_id) filter (
        where invitations.exclusion_reason is null
    ) as favourable_count,
    count(*) filter (where invitations.exclusion_reason is not null) as excluded_count,
    count(*) filter (
        where invitations.exclusion_reason is null and invitations.department_code is null
    ) as uncredited_count
from invitations
left join answered
    on invitations.invitation_id = answered.invitation_id
group by
    invitations.sent_on,
    invitations.store_id,
    invitations.region,
    invitations.department_code,
    invitations.employee_id,
    invitations.touchpoint_code,
    invitations.segment,
    invitations.channel
