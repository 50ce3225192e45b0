-- One row per snapshot and customer in reach (the last purchase lies within the customer's own
-- horizon before it): what was known on the day, and whether the customer then left. No feature
-- looks at anything later than the snapshot; the label looks at nothing else.
with days as (

    select * from {{ ref("int_churn_days_listed") }}

),

purchases as (

    select
        purchases.*,
        horizons.horizon_days
    from {{ ref("int_customer_purchases_dated") }} as purchases
    inner join {{ ref("int_churn_horizons_dated") }} as horizons
        on purchases.segment = horizons.segment

),

returned_lines as (

    select
        customer_id,
        returned_on
    from {{ ref("int_returns_credited") }}
    where exclusion_reason is null and customer_id is not null

),

answers as (

    select
        customer_id,
        submitted_on,
        is_top_box,
        is_bottom_box
    from {{ ref("int_answers_scored") }}
    where exclusion_reason is null and measure_code is not null and customer_id is not null

),

night as (

    select as_of from {{ source("control", "night") }}

),

histories as (

    select
        days.snapshot_on,
        purchases.customer_id,
        max(purchases.segment) as segment,
        max(purchases.horizon_days) as horizon_days,
        count(*) - 1 as repeats,
        {{ days_between("min(purchases.ordered_on)", "days.snapshot_on") }} as age_days,
        {{ days_between("max(purchases.ordered_on)", "days.snapshot_on") }} as silent_days,
        {{ days_between("min(purchases.ordered_on)", "max(purchases.ordered_on)") }} as last_days,
        count(*) filter (
            where purchases.ordered_on > {{ add_days("days.snapshot_on", -90) }}
        ) as purchases_90,
        count(*) filter (
            where
            purchases.ordered_on > {{ add_days("days.snapshot_on", -180) }}
            and purchases.ordered_on <= {{ add_days("days.snapshot_on", -90) }}
        ) as purchases_90_before,
        greatest(cast(sum(purchases.purchase_amount) as double), 0) / count(*) as average_amount,
        max(purchases.next_ordered_on) filter (
            where
            purchases.next_ordered_on is not null
            and purchases.next_ordered_on > days.snapshot_on
        ) as next_ordered_on
    from days
    inner join purchases
        on days.snapshot_on >= purchases.ordered_on
    group by days.snapshot_on, purchases.customer_id
    having
        {{ days_between("max(purchases.ordered_on)", "days.snapshot_on") }}
        < max(purchases.horizon_days)

),

returns as (

    select
        days.snapshot_on,
        returned_lines.customer_id,
        count(*) as returned_lines
    from days
    inner join returned_lines
        on
            days.snapshot_on >= returned_lines.returned_on
            and returned_lines.returned_on > {{ add_days("days.snapshot_on", -180) }}
    group by days.snapshot_on, returned_lines.customer_id

),

opinions as (

    select
        days.snapshot_on,
        answers.customer_id,
        count(*) filter (where answers.is_bottom_box) as bad_answers,
        count(*) filter (where answers.is_top_box) as good_answers
    from days
    inner join answers
        on
            days.snapshot_on >= answers.submitted_on
            and answers.submitted_on > {{ add_days("days.snapshot_on", -180) }}
    group by days.snapshot_on, answers.customer_id

)

select
    days.snapshot_on,
    days.is_scored,
    days.is_tested,
    days.trains_tested,
    days.trains_scored,
    histories.customer_id,
    histories.segment,
    histories.horizon_days,
    histories.repeats,
    histories.silent_days,
    histories.age_days,
    case
        when histories.repeats > 0 then cast(histories.last_days as double) / histories.repeats
    end as usual_gap_days,
    histories.purchases_90,
    coalesce(returns.returned_lines, 0) as returned_lines,
    coalesce(opinions.bad_answers, 0) as bad_answers,
    coalesce(opinions.good_answers, 0) as good_answers,
    ln(1.0 + histories.silent_days) as silence,
    ln(1.0 + histories.silent_days) * ln(1.0 + histories.silent_days) as silence_squared,
    case
        when histories.repeats > 0
            then
                ln(
                    (1.0 + histories.silent_days)
                    / (1.0 + cast(histories.last_days as double) / histories.repeats)
                )
        else 0.0
    end as overdue,
    case when histories.repeats = 0 then 1.0 else 0.0 end as bought_once,
    ln(1.0 + histories.purchases_90) as recent_purchases,
    ln(1.0 + histories.repeats) as all_repeats,
    ln(1.0 + histories.age_days) as age,
    cast(histories.purchases_90 - histories.purchases_90_before as double)
    / (1 + histories.purchases_90 + histories.purchases_90_before) as trend,
    ln(1.0 + histories.average_amount) as spend,
    ln(1.0 + coalesce(returns.returned_lines, 0)) as returned,
    ln(1.0 + coalesce(opinions.bad_answers, 0)) as dissatisfied,
    ln(1.0 + coalesce(opinions.good_answers, 0)) as satisfied,
    -- Null while the customer's horizon has not passed.
    case
        when {{ add_days("days.snapshot_on", "histories.horizon_days") }} <= night.as_of
            then
                coalesce(
                    histories.next_ordered_on
                    > {{ add_days("days.snapshot_on", "histories.horizon_days") }},
                    true
                )
    end as has_churned
from histories
inner join days
    on histories.snapshot_on = days.snapshot_on
cross join night
left join returns
    on
        histories.snapshot_on = returns.snapshot_on
        and histories.customer_id = returns.customer_id
left join opinions
    on
        histories.snapshot_on = opinions.snapshot_on
        and histories.customer_id = opinions.customer_id
