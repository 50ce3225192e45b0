-- One row per measure, day and credit (store, region, department, employee): additive counts from
-- which every period and level is summed. Whatever does not count is counted beside it.
with answers as (

    select * from {{ ref("int_answers_scored") }}
    where measure_code is not null

),

invitations as (

    select * from {{ ref("int_invitations_credited") }}

),

responses as (

    select * from {{ ref("int_responses_credited") }}

),

order_lines as (

    select * from {{ ref("int_order_lines_credited") }}

),

sales as (

    select * from {{ ref("int_sales_credited") }}

),

orders as (

    select * from {{ ref("int_orders_summed") }}

),

returned_lines as (

    select * from {{ ref("int_returns_credited") }}

),

measures as (

    select * from {{ ref("measures") }}

),

-- Points (NPS) count the good minus the bad, shares count the good.
survey_counts as (

    select
        answers.measure_code,
        answers.submitted_on as date_day,
        answers.store_id,
        answers.region,
        answers.department_code,
        answers.employee_id,
        cast(
            sum(
                case
                    when answers.exclusion_reason is not null then 0
                    when measures.unit = 'points'
                        then
                            case when answers.is_top_box then 1 else 0 end
                            - case when answers.is_bottom_box then 1 else 0 end
                    when answers.is_top_box then 1
                    else 0
                end
            ) as decimal(28, 4)
        ) as numerator,
        cast(
            count(*) filter (where answers.exclusion_reason is null) as decimal(28, 4)
        ) as denominator,
        count(*) filter (where answers.exclusion_reason is null) as n,
        count(*) filter (
            where answers.exclusion_reason is null and answers.is_top_box
        ) as favourable_count,
        count(*) filter (
            where answers.exclusion_reason is null and answers.is_bottom_box
        ) as unfavourable_count,
        cast(
            sum(answers.normalised_score) filter (where answers.exclusion_reason is null)
            as decimal(38, 12)
        ) as score_sum,
        count(*) filter (where answers.exclusion_reason is not null) as excluded_count
    from answers
    inner join measures
        on
            answers.measure_code = measures.measure_code
            and {{ in_force("measures", "answers.submitted_on") }}
    group by
        answers.measure_code,
        answers.submitted_on,
        answers.store_id,
        answers.region,
        answers.department_code,
        answers.employee_id

),

answered_invitations as (

    select distinct invitation_id
    from responses
    where invitation_id is not null and exclusion_reason is null

),

response_counts as (

    select
        'response_rate' as measure_code,
        invitations.sent_on as date_day,
        invitations.store_id,
        invitations.region,
        invitations.department_code,
        invitations.employee_id,
        cast(
            count(answered_invitations.invitation_id) filter (
                where invitations.exclusion_reason is null
            ) as decimal(28, 4)
        ) as numerator,
        cast(
            count(*) filter (where invitations.exclusion_reason is null) as decimal(28, 4)
        ) as denominator,
        count(*) filter (where invitations.exclusion_reason is null) as n,
        count(answered_invitations.invitation_id) filter (
            where invitations.exclusion_reason is null
        ) as favourable_count,
        cast(null as bigint) as unfavourable_count,
        cast(null as decimal(38, 12)) as score_sum,
        count(*) filter (where invitations.exclusion_reason is not null) as excluded_count
    from invitations
    left join answered_invitations
        on invitations.invitation_id = answered_invitations.invitation_id
    group by
        invitations.sent_on,
        invitations.store_id,
        invitations.region,
        invitations.department_code,
        invitations.employee_id

),

revenue_counts as (

    select
        'revenue' as measure_code,
        date_day,
        store_id,
        region,
        department_code,
        employee_id,
        cast(
            coalesce(sum(credited_amount) filter (where exclusion_reason is null), 0)
            as decimal(28, 4)
        ) as numerator,
        cast(null as decimal(28, 4)) as denominator,
        count(*) filter (where exclusion_reason is null) as n,
        cast(null as bigint) as favourable_count,
        cast(null as bigint) as unfavourable_count,
        cast(null as decimal(38, 12)) as score_sum,
        count(*) filter (where exclusion_reason is not null) as excluded_count
    from sales
    group by date_day, store_id, region, department_code, employee_id

),

order_counts as (

    select
        'order_count' as measure_code,
        ordered_on as date_day,
        store_id,
        region,
        department_code,
        employee_id,
        cast(count(*) as decimal(28, 4)) as numerator,
        cast(null as decimal(28, 4)) as denominator,
        count(*) as n,
        cast(null as bigint) as favourable_count,
        cast(null as bigint) as unfavourable_count,
        cast(null as decimal(38, 12)) as score_sum,
        cast(0 as bigint) as excluded_count
    from orders
    group by ordered_on, store_id, region, department_code, employee_id

),

-- A line returned in two parts on one day came back once.
return_events as (

    select
        returned_on as date_day,
        store_id,
        region,
        department_code,
        employee_id,
        order_id,
        line_no,
        exclusion_reason,
        0 as sold_lines,
        1 as returned_lines
    from returned_lines
    group by
        returned_on,
        store_id,
        region,
        department_code,
        employee_id,
        order_id,
        line_no,
        exclusion_reason
    union all
    select
        ordered_on as date_day,
        store_id,
        region,
        department_code,
        employee_id,
        order_id,
        line_no,
        exclusion_reason,
        1 as sold_lines,
        0 as returned_lines
    from order_lines

),

return_counts as (

    select
        'return_rate' as measure_code,
        date_day,
        store_id,
        region,
        department_code,
        employee_id,
        cast(
            coalesce(sum(returned_lines) filter (where exclusion_reason is null), 0)
            as decimal(28, 4)
        ) as numerator,
        cast(
            coalesce(sum(sold_lines) filter (where exclusion_reason is null), 0)
            as decimal(28, 4)
        ) as denominator,
        cast(
            coalesce(sum(sold_lines) filter (where exclusion_reason is null), 0) as bigint
        ) as n,
        cast(null as bigint) as favourable_count,
        cast(
            coalesce(sum(returned_lines) filter (where exclusion_reason is null), 0) as bigint
        ) as unfavourable_count,
        cast(null as decimal(38, 12)) as score_sum,
        count(*) filter (where exclusion_reason is not null) as excluded_count
    from return_events
    group by date_day, store_id, region, department_code, employee_id

)

select * from survey_counts
union all
select * from response_counts
union all
select * from revenue_counts
union all
select * from order_counts
union all
select * from return_counts
