-- One row per tested day, model segment and customer known on the calibration day: what the model
-- of that day expected, what the naive rule (go on as before) expected, and what came.
with models as (

    select * from {{ ref("int_purchase_models_fitted") }}
    where purchase_problem is null

),

days as (

    select * from {{ ref("int_value_days_listed") }}
    where is_valued and calibrated_on is not null

),

histories as (

    select * from {{ ref("int_customer_histories_counted") }}

),

expected as (

    select * from {{ ref("int_holdout_purchases_expected") }}

),

tested as (

    select
        days.looked_from as valued_on,
        days.calibrated_on,
        {{ days_between("days.calibrated_on", "days.looked_from") }} as horizon_days,
        models.*
    from days
    inner join models
        on days.calibrated_on = models.fitted_on

)

select
    tested.valued_on,
    tested.calibrated_on,
    tested.model_segment,
    before.customer_id,
    before.repeats,
    later.repeats - before.repeats as actual_purchases,
    {{ probability_alive("tested", "before") }} * expected.expected_purchases
        as expected_purchases,
    case
        when before.age_days = 0 then 0.0
        else cast(before.repeats as double) * tested.horizon_days / before.age_days
    end as naive_purchases,
    case
        when later.spend_count > before.spend_count
            then
                cast(later.spend_amount - before.spend_amount as double)
                / (later.spend_count - before.spend_count)
    end as actual_spend,
    case
        when tested.spend_problem is null and later.spend_count > before.spend_count
            then {{ expected_spend("tested", "before") }}
    end as expected_spend,
    case
        when before.spend_count > 0 then cast(before.spend_amount as double) / before.spend_count
    end as naive_spend
from tested
inner join histories as before
    on
        tested.calibrated_on = before.looked_from
        and (tested.model_segment = '*' or tested.model_segment = before.segment)
inner join histories as later
    on
        tested.valued_on = later.looked_from
        and before.customer_id = later.customer_id
inner join expected
    on
        tested.parameters_version = expected.model_key
        and tested.horizon_days = expected.horizon_days
        and before.repeats = expected.repeats
        and before.age_days = expected.age_days
