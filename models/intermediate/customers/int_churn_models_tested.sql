-- One row: how the churn model of the tested snapshot did, and whether the model that scores may be
-- used. Nothing is used that has not been tested or did worse than the naive rule.
with predictions as (

    select * from {{ ref("int_churn_customers_predicted") }}

),

trained as (

    select
        max(problem) filter (where model_role = 'tested') as tested_problem,
        max(problem) filter (where model_role = 'scored') as scored_problem,
        max(inputs_hash) filter (where model_role = 'scored') as inputs_hash,
        max(training_rows) filter (where model_role = 'scored') as training_rows,
        max(training_rows) filter (where model_role = 'tested') as tested_training_rows
    from {{ ref("int_churn_models_trained") }}

),

results as (

    select
        count(*) as customers,
        min(snapshot_on) as snapshot_on,
        sum(churned) as churned_customers,
        {{ stable_sum("cast(churn_probability as double)") }} as expected_churned,
        {{ stable_sum("naive_probability") }} as naive_churned,
        {{ stable_sum("power(cast(churn_probability as double) - churned, 2)") }}
        / nullif(count(*), 0) as brier,
        {{ stable_sum("power(naive_probability - churned, 2)") }} / nullif(count(*), 0)
            as naive_brier,
        {{ stable_correlation("cast(churn_probability as double)", "churned") }} as correlation,
        cast(sum(churned) filter (where decile = 1) as double)
        / nullif(count(*) filter (where decile = 1), 0)
        / nullif(cast(sum(churned) as double) / nullif(count(*), 0), 0) as top_decile_lift
    from predictions

)

select
    results.*,
    trained.inputs_hash,
    trained.training_rows,
    trained.tested_training_rows,
    coalesce(results.brier < results.naive_brier, false) as beats_naive,
    case
        when trained.scored_problem is not null then trained.scored_problem
        when trained.tested_problem is not null then concat('test_', trained.tested_problem)
        when results.brier is null then 'not_tested'
        when not results.brier < results.naive_brier then 'worse_than_naive'
    end as problem
from results
cross join trained
