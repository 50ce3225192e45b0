-- One row per day with a fit, model segment (* is everybody) and distinct history, with the number
-- of customers who have it. A segment has a model of its own where it has customers enough.
with histories as (

    select * from {{ ref("int_customer_histories_counted") }}

),

days as (

    select * from {{ ref("int_value_days_listed") }}

),

fitted_days as (

    select looked_from as fitted_on from days
    where is_valued
    union
    select calibrated_on as fitted_on from days
    where is_valued

),

counted as (

    select
        histories.looked_from as fitted_on,
        histories.segment,
        histories.repeats,
        histories.last_days,
        histories.age_days,
        count(*) as customers
    from histories
    inner join fitted_days
        on histories.looked_from = fitted_days.fitted_on
    group by
        histories.looked_from,
        histories.segment,
        histories.repeats,
        histories.last_days,
        histories.age_days

),

segments as (

    select
        counted.fitted_on,
        counted.segment
    from counted
    inner join days
        on counted.fitted_on = days.looked_from
    group by counted.fitted_on, counted.segment
    having
        sum(counted.customers) >= max(days.fit_minimum_customers)
        and coalesce(sum(counted.customers) filter (where counted.repeats > 0), 0)
        >= max(days.fit_minimum_repeaters)

)

select
    counted.fitted_on,
    '*' as model_segment,
    counted.repeats,
    counted.last_days,
    counted.age_days,
    cast(sum(counted.customers) as bigint) as customers
from counted
group by counted.fitted_on, counted.repeats, counted.last_days, counted.age_days
union all
select
    counted.fitted_on,
    counted.segment as model_segment,
    counted.repeats,
    counted.last_days,
    counted.age_days,
    counted.customers
from counted
inner join segments
    on
        counted.fitted_on = segments.fitted_on
        and counted.segment = segments.segment
