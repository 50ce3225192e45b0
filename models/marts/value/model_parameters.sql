-- The parameters this night's values come from, the refused ones with their problem, and the last
-- good ones of earlier nights, which a later night may have to fall back on.
{% set purchase_names = ["r", "alpha", "a", "b"] %}
{% set spend_names = ["p", "q", "v"] %}

with fitted as (

    select
        fits.*,
        judged.purchase_problem as judged_purchase_problem,
        judged.spend_problem as judged_spend_problem
    from {{ ref("int_purchase_models_fitted") }} as fits
    inner join {{ ref("int_purchase_models_judged") }} as judged
        on
            fits.fitted_on = judged.fitted_on
            and fits.model_segment = judged.model_segment
            and judged.is_of_this_night

),

trained as (

    select * from {{ ref("int_churn_models_trained") }}
    where model_role = 'scored'

),

tested as (

    select problem from {{ ref("int_churn_models_tested") }}

),

night as (

    select as_of from {{ source("control", "night") }}

),

published as (

    select * from {{ source("control", "published_parameters") }}
    where problem is null

),

tonight as (

    {% for name in purchase_names + spend_names %}
    select
        {{ "'purchases'" if name in purchase_names else "'spend'" }} as model_code,
        model_segment,
        fitted_on,
        parameters_version,
        '{{ name }}' as parameter_name,
        {{ name }} as estimate,
        cast(null as double) as centre,
        {{ name }}_error as standard_error,
        {{ name }}_low as ci_low,
        {{ name }}_high as ci_high,
        {{ "customers" if name in purchase_names else "spenders" }} as n,
        {{ "purchase" if name in purchase_names else "spend" }}_log_likelihood as log_likelihood,
        inputs_hash,
        judged_{{ "purchase" if name in purchase_names else "spend" }}_problem as problem
    from fitted
    union all
    {% endfor %}
    select
        'purchases' as model_code,
        model_segment,
        fitted_on,
        parameters_version,
        'merged_day_correction_days' as parameter_name,
        merged_day_correction_days as estimate,
        cast(null as double) as centre,
        cast(null as double) as standard_error,
        cast(null as double) as ci_low,
        cast(null as double) as ci_high,
        customers as n,
        purchase_log_likelihood as log_likelihood,
        inputs_hash,
        judged_purchase_problem as problem
    from fitted
    union all
    select
        'churn' as model_code,
        '*' as model_segment,
        night.as_of as fitted_on,
        concat(cast(night.as_of as {{ dbt.type_string() }}), '-', trained.inputs_hash)
            as parameters_version,
        trained.feature as parameter_name,
        trained.weight as estimate,
        trained.centre,
        cast(null as double) as standard_error,
        cast(null as double) as ci_low,
        cast(null as double) as ci_high,
        trained.training_rows as n,
        cast(null as double) as log_likelihood,
        trained.inputs_hash,
        coalesce(trained.problem, tested.problem) as problem
    from trained
    cross join tested
    cross join night

),

-- The last good one per model and segment is all a later night can need.
last_good as (

    select published.*
    from published
    where
        not exists (
            select 1 from tonight
            where
                tonight.model_code = published.model_code
                and tonight.model_segment = published.model_segment
                and tonight.fitted_on = published.fitted_on
                and tonight.parameters_version = published.parameters_version
        )
    qualify
        rank() over (
            partition by published.model_code, published.model_segment
            order by published.fitted_on desc, published.parameters_version desc
        ) = 1

)

select
    model_code,
    model_segment,
    fitted_on,
    parameters_version,
    parameter_name,
    estimate,
    centre,
    standard_error,
    ci_low,
    ci_high,
    n,
    log_likelihood,
    inputs_hash,
    problem,
    false as is_carried
from tonight
union all
select
    model_code,
    model_segment,
    fitted_on,
    parameters_version,
    parameter_name,
    estimate,
    centre,
    standard_error,
    ci_low,
    ci_high,
    n,
    log_likelihood,
    inputs_hash,
    problem,
    true as is_carried
from last_good
