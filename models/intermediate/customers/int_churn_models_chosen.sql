-- One row: the weights customers are scored with, those of this night or, where these were refused,
-- those of the release in place. No row: there is no model that ever proved itself.
with trained as (

    select * from {{ ref("int_churn_models_trained") }}
    where model_role = 'scored' and problem is null

),

tested as (

    select * from {{ ref("int_churn_models_tested") }}

),

night as (

    select as_of from {{ source("control", "night") }}

),

published as (

    select * from {{ source("control", "published_parameters") }}
    where model_code = 'churn' and problem is null

),

candidates as (

    select
        night.as_of as fitted_on,
        concat(cast(night.as_of as {{ dbt.type_string() }}), '-', trained.inputs_hash)
            as parameters_version,
        true as is_of_this_night,
        trained.feature,
        trained.weight,
        trained.centre
    from trained
    cross join tested
    cross join night
    where tested.problem is null
    union all
    select
        published.fitted_on,
        published.parameters_version,
        false as is_of_this_night,
        published.parameter_name as feature,
        published.estimate as weight,
        published.centre
    from published
    cross join night
    where published.fitted_on <= night.as_of

)

select
    fitted_on,
    parameters_version,
    is_of_this_night,
    {{ churn_weight_columns() }}
from candidates
group by fitted_on, parameters_version, is_of_this_night
qualify
    row_number() over (
        order by
            case when is_of_this_night then 0 else 1 end asc,
            fitted_on desc,
            parameters_version asc
    ) = 1
