-- One row per employee and month with unhappy customers: how many of them had their contact data
-- changed soon after the answer. Whose phone number is wrong cannot be called back.
with answers as (

    select * from {{ ref("int_answers_scored") }}

),

days as (

    select * from {{ ref("int_days_dated") }}

),

thresholds as (

    select * from {{ ref("survey_thresholds") }}

),

contacts as (

    select
        customer_id,
        contact,
        {{ local_day("_delivered_at") }} as delivered_on,
        lag(contact) over (
            partition by customer_id order by {{ delivery_order() }}
        ) as previous_contact,
        row_number() over (
            partition by customer_id order by {{ delivery_order() }}
        ) as version_no
    from {{ source("sales", "customers") }}

),

changes as (

    select
        customer_id,
        delivered_on
    from contacts
    where version_no > 1 and contact is distinct from previous_contact

),

unhappy as (

    select distinct
        employee_id,
        customer_id,
        submitted_on
    from answers
    where
        exclusion_reason is null
        and is_bottom_box
        and employee_id is not null
        and customer_id is not null

),

edited as (

    select
        unhappy.employee_id,
        unhappy.customer_id,
        unhappy.submitted_on,
        max(
            case
                when
                    changes.delivered_on >= unhappy.submitted_on
                    and {{ days_between("unhappy.submitted_on", "changes.delivered_on") }} * 1440
                    <= thresholds.window_minutes
                    then 1
                else 0
            end
        ) as is_edited,
        max(thresholds.limit_count) as limit_count,
        max(thresholds.limit_ratio) as limit_ratio
    from unhappy
    inner join thresholds
        on
            thresholds.rule_code = 'contact_edited'
            and {{ in_force("thresholds", "unhappy.submitted_on") }}
    left join changes
        on unhappy.customer_id = changes.customer_id
    group by unhappy.employee_id, unhappy.customer_id, unhappy.submitted_on

)

select
    edited.employee_id,
    days.month_start as period_start,
    'contact_edited' as screen_code,
    count(*) as total_count,
    sum(edited.is_edited) as observed_count,
    cast(null as double) as expected_ratio,
    sum(edited.is_edited) >= max(edited.limit_count)
    and sum(edited.is_edited) >= max(edited.limit_ratio) * count(*) as is_flagged
from edited
inner join days
    on edited.submitted_on = days.date_day
group by edited.employee_id, days.month_start
