-- One row per customer of the tested snapshot: the probability by the model that was trained on
-- outcomes known by then, the naive rule (everybody leaves at the rate of the training data), and
-- what came. `decile` 1 has the highest risk.
with features as (

    select * from {{ ref("int_churn_features_computed") }}
    where is_tested and has_churned is not null

),

weights as (

    select
        max(base_rate) as base_rate,
        {{ churn_weight_columns() }}
    from {{ ref("int_churn_models_trained") }}
    where model_role = 'tested' and problem is null
    having count(*) > 0

),

scored as (

    select
        features.customer_id,
        features.snapshot_on,
        features.has_churned,
        weights.base_rate as naive_probability,
        {{ churn_probability("weights", "features") }} as churn_probability
    from features
    cross join weights

)

select
    customer_id,
    snapshot_on,
    has_churned,
    case when has_churned then 1 else 0 end as churned,
    naive_probability,
    cast(churn_probability as decimal(18, 8)) as churn_probability,
    ntile(10) over (
        order by cast(churn_probability as decimal(18, 8)) desc, customer_id
    ) as decile
from scored
