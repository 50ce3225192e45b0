with purchases as (

    select
        predictions.valued_on as as_of,
        'purchases' as model_code,
        predictions.model_segment,
        'repeats_before' as grouped_by,
        cast(least(predictions.repeats, 10) as integer) as group_no,
        cast(predictions.expected_purchases as double) as expected,
        cast(predictions.naive_purchases as double) as naive,
        cast(predictions.actual_purchases as double) as actual
    from {{ ref("int_holdout_customers_predicted") }} as predictions
    inner join {{ source("control", "night") }} as night
        on predictions.valued_on = night.as_of

),

churn as (

    select
        night.as_of,
        'churn' as model_code,
        '*' as model_segment,
        predictions.decile,
        cast(predictions.churn_probability as double) as expected,
        predictions.naive_probability as naive,
        cast(predictions.churned as double) as actual
    from {{ ref("int_churn_customers_predicted") }} as predictions
    cross join {{ source("control", "night") }} as night

),

rows_grouped as (

    select * from purchases
    union all
    select
        as_of,
        model_code,
        model_segment,
        'risk_decile' as grouped_by,
        cast(decile as integer) as group_no,
        expected,
        naive,
        actual
    from churn
    union all
    select
        as_of,
        model_code,
        model_segment,
        'probability_tenth' as grouped_by,
        cast(floor(least(expected, 0.999999) * 10) as integer) as group_no,
        expected,
        naive,
        actual
    from churn

)

select
    as_of,
    model_code,
    model_segment,
    grouped_by,
    group_no,
    cast(count(*) as bigint) as n,
    {{ stable_sum("expected") }} / count(*) as expected_mean,
    {{ stable_sum("naive") }} / count(*) as naive_mean,
    {{ stable_sum("actual") }} / count(*) as actual_mean,
    case
        when model_code = 'churn'
            then
                {{ stable_sum("actual") }} / count(*)
                / nullif(
                    sum({{ stable_sum("actual") }}) over (
                        partition by as_of, model_code, model_segment, grouped_by
                    )
                    / sum(count(*)) over (
                        partition by as_of, model_code, model_segment, grouped_by
                    ),
                    0
                )
    end as lift
from rows_grouped
group by as_of, model_code, model_segment, grouped_by, group_no
