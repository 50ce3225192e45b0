-- One row per valued day, day looked from and customer: the value of the customer as known on the
-- day looked from, by the models of the valued day. The difference of the two days is what the
-- customer did, and not that the models were fitted anew.
with histories as (

    select * from {{ ref("int_customer_histories_counted") }}

),

periods as (

    select * from {{ ref("int_value_periods_listed") }}

),

models as (

    select * from {{ ref("int_purchase_models_chosen") }}

),

days as (

    select * from {{ ref("int_value_days_listed") }}

),

margins as (

    select * from {{ ref("int_margins_summed") }}

),

expected as (

    select * from {{ ref("int_purchases_expected") }}

),

looks as (

    select
        valued_on,
        valued_on as looked_from
    from periods
    union
    select
        valued_on,
        began_on as looked_from
    from periods

),

scored as (

    select
        looks.valued_on,
        histories.*,
        case
            when models.purchase_problem is null
                then {{ probability_alive("models", "histories") }}
        end as probability_alive,
        short_run.expected_purchases as expected_if_alive_12m,
        short_run.discounted_purchases as discounted_if_alive_12m,
        long_run.expected_purchases as expected_if_alive_36m,
        long_run.discounted_purchases as discounted_if_alive_36m,
        case
            when models.spend_problem is null then {{ expected_spend("models", "histories") }}
        end as expected_spend,
        margins.margin_ratio,
        models.purchase_model_segment,
        models.purchase_version,
        models.purchase_fitted_on,
        models.spend_model_segment,
        models.spend_version,
        models.spend_fitted_on,
        models.is_carried,
        coalesce(
            'purchases_' || models.purchase_problem, 'spend_' || models.spend_problem
        ) as missing_reason
    from looks
    inner join histories
        on looks.looked_from = histories.looked_from
    inner join models
        on
            looks.valued_on = models.valued_on
            and histories.segment = models.segment
    inner join days
        on looks.valued_on = days.looked_from
    left join margins
        on
            looks.valued_on = margins.valued_on
            and histories.segment = margins.segment
    {% for run, horizon in {"short_run": 365, "long_run": 1095}.items() %}
    left join expected as {{ run }}
        on
            concat(models.purchase_version, '/', days.clv_yearly_discount) = {{ run }}.model_key
            and {{ run }}.horizon_days = {{ horizon }}
            and histories.repeats = {{ run }}.repeats
            and histories.age_days = {{ run }}.age_days
    {% endfor %}

)

select
    valued_on,
    looked_from,
    customer_id,
    segment,
    repeats,
    last_days,
    age_days,
    spend_count,
    spend_amount,
    cast(probability_alive as decimal(18, 8)) as probability_alive,
    {% for months in [12, 36] %}
    cast(probability_alive * expected_if_alive_{{ months }}m as decimal(18, 6))
        as expected_purchases_{{ months }}m,
    cast(
        probability_alive * discounted_if_alive_{{ months }}m * expected_spend
        * cast(margin_ratio as double) as decimal(18, 4)
    ) as clv_{{ months }}m_amount,
    {% endfor %}
    cast(expected_spend as decimal(18, 4)) as expected_spend_amount,
    margin_ratio,
    purchase_model_segment,
    purchase_version,
    purchase_fitted_on,
    spend_model_segment,
    spend_version,
    spend_fitted_on,
    is_carried,
    missing_reason
from scored
