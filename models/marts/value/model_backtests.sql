with night as (

    select as_of from {{ source("control", "night") }}

),

judged as (

    select * from {{ ref("int_purchase_models_judged") }}
    where is_of_this_night

),

tested as (

    select * from {{ ref("int_purchase_models_tested") }}

),

chosen as (

    select * from {{ ref("int_purchase_models_chosen") }}

),

churn as (

    select * from {{ ref("int_churn_models_tested") }}

),

churn_chosen as (

    select * from {{ ref("int_churn_models_chosen") }}

),

-- How far the scores have moved since the tested snapshot: population stability index over tenths
-- of probability; above 0.25 the customers are no longer those the test was about.
churn_scores as (

    select
        'tested' as population,
        floor(least(cast(churn_probability as double), 0.999999) * 10) as tenth
    from {{ ref("int_churn_customers_predicted") }}
    union all
    select
        'scored' as population,
        floor(least(cast(churn_probability as double), 0.999999) * 10) as tenth
    from {{ ref("int_churn_scored") }}
    where churn_probability is not null

),

tenths as (

    select
        tenth,
        -- Half a customer in an empty tenth: its logarithm must exist.
        (count(*) filter (where population = 'tested') + 0.5)
        / (sum(count(*) filter (where population = 'tested')) over () + 5) as tested_share,
        (count(*) filter (where population = 'scored') + 0.5)
        / (sum(count(*) filter (where population = 'scored')) over () + 5) as scored_share,
        sum(count(*) filter (where population = 'scored')) over () as scored_customers,
        sum(count(*) filter (where population = 'tested')) over () as tested_customers
    from churn_scores
    group by tenth

),

drift as (

    select
        {{ stable_sum("(scored_share - tested_share) * ln(scored_share / tested_share)") }}
            as stability_index
    from tenths
    where scored_customers > 0 and tested_customers > 0

),

purchase_rows as (

    {% for code, kind, unit in [
        ("purchases", "purchase", "purchases"),
        ("spend", "spend", "spend"),
    ] %}
    select
        night.as_of,
        '{{ code }}' as model_code,
        judged.model_segment,
        tested.calibrated_on as tested_from,
        tested.valued_on as tested_to,
        {{ "tested.customers" if code == "purchases" else "tested.spenders" }} as n,
        cast(tested.actual_{{ unit }} as double) as actual,
        tested.expected_{{ unit }} as expected,
        tested.naive_{{ unit }} as naive,
        'rmse' as error_measure,
        tested.{{ kind }}_rmse as error,
        tested.naive_{{ kind }}_rmse as naive_error,
        tested.{{ kind }}_correlation as correlation,
        cast(null as double) as top_decile_lift,
        cast(null as double) as stability_index,
        judged.parameters_version,
        judged.{{ kind }}_problem as problem,
        coalesce(
            bool_or(
                chosen.{{ kind }}_version = judged.parameters_version
                and judged.{{ kind }}_problem is null
            ),
            false
        ) as is_in_use,
        max(chosen.{{ kind }}_version) filter (
            where chosen.segment = judged.model_segment or judged.model_segment = '*'
        ) as version_in_use
    from judged
    inner join night
        on judged.fitted_on = night.as_of
    left join tested
        on
            judged.fitted_on = tested.valued_on
            and judged.model_segment = tested.model_segment
    left join chosen
        on
            night.as_of = chosen.valued_on
            and judged.model_segment in ('*', chosen.segment)
    group by all
    {{ "union all" if not loop.last }}
    {% endfor %}

),

churn_rows as (

    select
        night.as_of,
        'churn' as model_code,
        '*' as model_segment,
        churn.snapshot_on as tested_from,
        night.as_of as tested_to,
        churn.customers as n,
        cast(churn.churned_customers as double) as actual,
        churn.expected_churned as expected,
        churn.naive_churned as naive,
        'brier' as error_measure,
        churn.brier as error,
        churn.naive_brier as naive_error,
        churn.correlation,
        churn.top_decile_lift,
        drift.stability_index,
        concat(cast(night.as_of as {{ dbt.type_string() }}), '-', churn.inputs_hash)
            as parameters_version,
        churn.problem,
        churn.problem is null as is_in_use,
        churn_chosen.parameters_version as version_in_use
    from churn
    cross join night
    cross join drift
    left join churn_chosen
        on true

)

select
    as_of,
    model_code,
    model_segment,
    tested_from,
    tested_to,
    cast(n as bigint) as n,
    actual,
    expected,
    naive,
    error_measure,
    error,
    naive_error,
    error < naive_error as beats_naive,
    correlation,
    top_decile_lift,
    stability_index,
    parameters_version,
    is_in_use,
    version_in_use,
    problem
from purchase_rows
union all
select
    as_of,
    model_code,
    model_segment,
    tested_from,
    tested_to,
    cast(n as bigint) as n,
    actual,
    expected,
    naive,
    error_measure,
    error,
    naive_error,
    error < naive_error as beats_naive,
    correlation,
    top_decile_lift,
    stability_index,
    parameters_version,
    is_in_use,
    version_in_use,
    problem
from churn_rows
