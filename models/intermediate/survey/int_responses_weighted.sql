-- One row per response that counts and answers an invitation: how many of the invited it speaks
-- for. Cells are questionnaire, channel and segment of the invitations of one month; the weight is
-- the cell's share of the invited over its share of the respondents, trimmed. A response without an
-- invitation is in no cell and weighs 1.
with responses as (

    select * from {{ ref("int_responses_screened") }}
    where exclusion_reason is null and invitation_id is not null

),

invitations as (

    select
        invitation_id,
        survey_code,
        channel,
        coalesce(segment, '') as segment,
        days.month_start,
        sent_on
    from {{ ref("int_invitations_credited") }} as credited
    inner join {{ ref("int_days_dated") }} as days
        on credited.sent_on = days.date_day
    where exclusion_reason is null

),

thresholds as (

    select * from {{ ref("survey_thresholds") }}
    where rule_code = 'weight_trim'

),

answered as (

    select distinct invitation_id from responses

),

cells as (

    select
        invitations.month_start,
        invitations.survey_code,
        invitations.channel,
        invitations.segment,
        count(*) as invited_count,
        count(answered.invitation_id) as respondent_count
    from invitations
    left join answered
        on invitations.invitation_id = answered.invitation_id
    group by
        invitations.month_start,
        invitations.survey_code,
        invitations.channel,
        invitations.segment

),

shares as (

    select
        *,
        sum(invited_count) over (partition by month_start) as all_invited,
        sum(respondent_count) over (partition by month_start) as all_respondents
    from cells

),

cell_weights as (

    select
        month_start,
        survey_code,
        channel,
        segment,
        {{ exact_divide(
            "cast(invited_count as decimal(18, 0)) * all_respondents",
            "cast(respondent_count as decimal(18, 0)) * all_invited",
            operand_scale=0,
        ) }} as weight
    from shares
    where respondent_count > 0

)

select
    responses.response_id,
    cast(
        least(cell_weights.weight, coalesce(thresholds.limit_ratio, 5)) as decimal(12, 6)
    ) as weight
from responses
inner join invitations
    on responses.invitation_id = invitations.invitation_id
inner join cell_weights
    on
        invitations.month_start = cell_weights.month_start
        and invitations.survey_code = cell_weights.survey_code
        and invitations.channel = cell_weights.channel
        and invitations.segment = cell_weights.segment
left join thresholds
    on {{ in_force("thresholds", "invitations.sent_on") }}
