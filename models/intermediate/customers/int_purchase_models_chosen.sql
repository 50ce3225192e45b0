-- One row per valued day and segment of customers: the purchase and the spend model they are valued
-- with. The segment's own model of the day goes first, then its last good one, then those of all
-- customers. Where there is none, the problem says why.
with judged as (

    select * from {{ ref("int_purchase_models_judged") }}

),

days as (

    select * from {{ ref("int_value_days_listed") }}
    where is_valued

),

segments as (

    select distinct
        looked_from as valued_on,
        segment
    from {{ ref("int_customer_histories_counted") }}

),

candidates as (

    select
        segments.valued_on,
        segments.segment,
        judged.*
    from segments
    inner join days
        on segments.valued_on = days.looked_from
    inner join judged
        on
            segments.valued_on >= judged.fitted_on
            and judged.model_segment in ('*', segments.segment)

),

{% for kind in ["purchase", "spend"] %}
{{ kind }}_models as (

    select *
    from candidates
    where {{ kind }}_problem is null
    qualify
        row_number() over (
            partition by valued_on, segment
            order by
                case when model_segment = '*' then 1 else 0 end,
                fitted_on desc,
                case when is_of_this_night then 0 else 1 end,
                parameters_version asc
        ) = 1

),

{{ kind }}_problems as (

    select
        valued_on,
        segment,
        {{ kind }}_problem
    from candidates
    where fitted_on = valued_on and model_segment = '*' and is_of_this_night

),

{% endfor %}
named as (

    select
        segments.valued_on,
        segments.segment
    from segments
    inner join days
        on segments.valued_on = days.looked_from

)

select
    named.valued_on,
    named.segment,
    purchase_models.model_segment as purchase_model_segment,
    purchase_models.parameters_version as purchase_version,
    purchase_models.fitted_on as purchase_fitted_on,
    purchase_models.r,
    purchase_models.alpha,
    purchase_models.a,
    purchase_models.b,
    purchase_models.merged_day_correction_days,
    case
        when purchase_models.r is null
            then coalesce(purchase_problems.purchase_problem, 'not_fitted')
    end as purchase_problem,
    spend_models.model_segment as spend_model_segment,
    spend_models.parameters_version as spend_version,
    spend_models.fitted_on as spend_fitted_on,
    spend_models.p,
    spend_models.q,
    spend_models.v,
    case
        when spend_models.p is null then coalesce(spend_problems.spend_problem, 'not_fitted')
    end as spend_problem,
    -- Carried on: a model of an earlier day, because that of the day was refused.
    coalesce(
        purchase_models.fitted_on < named.valued_on or not purchase_models.is_of_this_night, false
    )
    or coalesce(
        spend_models.fitted_on < named.valued_on or not spend_models.is_of_this_night, false
    ) as is_carried
from named
left join purchase_models
    on
        named.valued_on = purchase_models.valued_on
        and named.segment = purchase_models.segment
left join purchase_problems
    on
        named.valued_on = purchase_problems.valued_on
        and named.segment = purchase_problems.segment
left join spend_models
    on
        named.valued_on = spend_models.valued_on
        and named.segment = spend_models.segment
left join spend_problems
    on
        named.valued_on = spend_problems.valued_on
        and named.segment = spend_problems.segment
