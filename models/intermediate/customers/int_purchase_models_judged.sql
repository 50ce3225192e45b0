-- One row per model that may be used or was refused: those of this night with the reason why one
-- may not be used, and those of the release in place, which were good.
with fitted as (

    select * from {{ ref("int_purchase_models_fitted") }}

),

days as (

    select * from {{ ref("int_value_days_listed") }}
    where is_valued

),

tested as (

    select * from {{ ref("int_purchase_models_tested") }}

),

published as (

    select
        fitted_on,
        model_segment,
        parameters_version,
        {% for name in ["merged_day_correction_days", "r", "alpha", "a", "b", "p", "q", "v"] %}
        max(estimate) filter (where parameter_name = '{{ name }}') as {{ name }},
        {% endfor %}
        count(*) filter (where model_code = 'purchases') as purchase_parameters,
        count(*) filter (where model_code = 'spend') as spend_parameters
    from {{ source("control", "published_parameters") }}
    where model_code in ('purchases', 'spend') and problem is null
    group by fitted_on, model_segment, parameters_version

)

select
    fitted.fitted_on,
    fitted.model_segment,
    fitted.parameters_version,
    fitted.merged_day_correction_days,
    fitted.r,
    fitted.alpha,
    fitted.a,
    fitted.b,
    fitted.p,
    fitted.q,
    fitted.v,
    case
        when fitted.purchase_problem is not null then fitted.purchase_problem
        when tested.purchases_beat_naive is null then 'not_tested'
        when not tested.purchases_beat_naive then 'worse_than_naive'
    end as purchase_problem,
    case
        when fitted.spend_problem is not null then fitted.spend_problem
        when tested.spend_beats_naive is null then 'not_tested'
        when not tested.spend_beats_naive then 'worse_than_naive'
    end as spend_problem,
    true as is_of_this_night
from fitted
inner join days
    on fitted.fitted_on = days.looked_from
left join tested
    on
        fitted.fitted_on = tested.valued_on
        and fitted.model_segment = tested.model_segment
union all
select
    fitted_on,
    model_segment,
    parameters_version,
    merged_day_correction_days,
    r,
    alpha,
    a,
    b,
    p,
    q,
    v,
    case when purchase_parameters = 0 then 'not_published' end as purchase_problem,
    case when spend_parameters = 0 then 'not_published' end as spend_problem,
    false as is_of_this_night
from published
