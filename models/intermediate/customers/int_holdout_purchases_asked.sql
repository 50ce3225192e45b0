-- One row per tested day, model segment, number of repeats and age: what the fit of the calibration
-- day is asked for, so that it can be held against what was bought from then to the tested day.
with models as (

    select * from {{ ref("int_purchase_models_fitted") }}
    where purchase_problem is null

),

days as (

    select * from {{ ref("int_value_days_listed") }}
    where is_valued

),

histories as (

    select * from {{ ref("int_histories_grouped") }}

)

select distinct
    models.parameters_version as model_key,
    models.r,
    models.alpha,
    models.a,
    models.b,
    models.merged_day_correction_days,
    cast({{ days_between("days.calibrated_on", "days.looked_from") }} as bigint) as horizon_days,
    cast(0 as double) as yearly_discount,
    histories.repeats,
    histories.age_days
from days
inner join models
    on days.calibrated_on = models.fitted_on
inner join histories
    on
        models.fitted_on = histories.fitted_on
        and models.model_segment = histories.model_segment
