-- One row per model in use, horizon, number of repeats and age: what it is asked for. Past days are
-- valued over the short horizon only, which is the one that is measured.
{% set horizons = {"short": 365, "long": 1095} %}

with histories as (

    select * from {{ ref("int_customer_histories_counted") }}

),

models as (

    select * from {{ ref("int_purchase_models_chosen") }}
    where purchase_problem is null

),

periods as (

    select * from {{ ref("int_value_periods_listed") }}

),

days as (

    select * from {{ ref("int_value_days_listed") }}

),

night as (

    select as_of from {{ source("control", "night") }}

),

looks as (

    select distinct
        valued_on,
        valued_on as looked_from,
        {{ horizons["short"] }} as horizon_days
    from periods
    union
    select distinct
        valued_on,
        began_on as looked_from,
        {{ horizons["short"] }} as horizon_days
    from periods
    union
    select distinct
        periods.valued_on,
        periods.valued_on as looked_from,
        {{ horizons["long"] }} as horizon_days
    from periods
    inner join night on periods.valued_on = night.as_of

)

select distinct
    concat(models.purchase_version, '/', days.clv_yearly_discount) as model_key,
    models.r,
    models.alpha,
    models.a,
    models.b,
    models.merged_day_correction_days,
    cast(looks.horizon_days as bigint) as horizon_days,
    cast(days.clv_yearly_discount as double) as yearly_discount,
    histories.repeats,
    histories.age_days
from looks
inner join histories
    on looks.looked_from = histories.looked_from
inner join models
    on
        looks.valued_on = models.valued_on
        and histories.segment = models.segment
inner join days
    on looks.valued_on = days.looked_from
