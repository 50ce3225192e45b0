-- One row per valued day and model segment: how the model of the calibration day did against what
-- came, beside the naive rule. Customers without a repeat have no spend of their own to go on with:
-- the spend models are compared on those who have.
with predictions as (

    select * from {{ ref("int_holdout_customers_predicted") }}

),

purchases as (

    select
        valued_on,
        calibrated_on,
        model_segment,
        count(*) as customers,
        cast(sum(actual_purchases) as bigint) as actual_purchases,
        {{ stable_sum("expected_purchases") }} as expected_purchases,
        {{ stable_sum("naive_purchases") }} as naive_purchases,
        {{ stable_rmse("expected_purchases", "actual_purchases") }} as purchase_rmse,
        {{ stable_rmse("naive_purchases", "actual_purchases") }} as naive_purchase_rmse,
        {{ stable_correlation("expected_purchases", "actual_purchases") }} as purchase_correlation
    from predictions
    group by valued_on, calibrated_on, model_segment

),

spends as (

    select
        valued_on,
        model_segment,
        count(*) as spenders,
        {{ stable_sum("actual_spend") }} / count(*) as actual_spend,
        {{ stable_sum("expected_spend") }} / count(*) as expected_spend,
        {{ stable_sum("naive_spend") }} / count(*) as naive_spend,
        {{ stable_rmse("expected_spend", "actual_spend") }} as spend_rmse,
        {{ stable_rmse("naive_spend", "actual_spend") }} as naive_spend_rmse,
        {{ stable_correlation("expected_spend", "actual_spend") }} as spend_correlation
    from predictions
    where actual_spend is not null and expected_spend is not null and naive_spend is not null
    group by valued_on, model_segment

)

select
    purchases.*,
    purchases.purchase_rmse < purchases.naive_purchase_rmse as purchases_beat_naive,
    spends.spenders,
    spends.actual_spend,
    spends.expected_spend,
    spends.naive_spend,
    spends.spend_rmse,
    spends.naive_spend_rmse,
    spends.spend_correlation,
    spends.spend_rmse < spends.naive_spend_rmse as spend_beats_naive
from purchases
left join spends
    on
        purchases.valued_on = spends.valued_on
        and purchases.model_segment = spends.model_segment
