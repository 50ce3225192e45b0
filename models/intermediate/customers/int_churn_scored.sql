-- One row per customer who ever bought, as of the night: probability to leave within the customer's
-- own horizon, and the features that speak most for it. Null with a reason where it is not known.
with purchases as (

    select distinct
        customer_id,
        segment
    from {{ ref("int_customer_purchases_dated") }}

),

features as (

    select * from {{ ref("int_churn_features_computed") }}
    where is_scored

),

weights as (

    select * from {{ ref("int_churn_models_chosen") }}

),

tested as (

    select problem from {{ ref("int_churn_models_tested") }}

),

horizons as (

    select * from {{ ref("int_churn_horizons_dated") }}

),

scored as (

    select
        features.*,
        weights.parameters_version,
        weights.fitted_on,
        weights.is_of_this_night,
        {{ churn_probability("weights", "features") }} as churn_probability,
        {% for feature in churn_features() %}
        weights.{{ feature }}_weight * (features.{{ feature }} - weights.{{ feature }}_centre)
            as {{ feature }}_part{{ "," if not loop.last }}
        {% endfor %}
    from features
    cross join weights

),

-- Features that say the same thing in several forms are one reason: single weights of theirs may
-- point the wrong way, their sum does not. What is said is a fact about the customer.
parts as (

    {% set reasons = {
        "silence": ["silence", "silence_squared", "overdue"],
        "bought_once": ["bought_once", "all_repeats"],
        "recent_purchases": ["recent_purchases", "trend"],
        "age": ["age"],
        "spend": ["spend"],
        "returned": ["returned"],
        "dissatisfied": ["dissatisfied", "satisfied"],
    } %}
    {% for reason, names in reasons.items() %}
    select
        customer_id,
        '{{ reason }}' as reason_code,
        {% for name in names %}
        {{ name }}_part{{ " +" if not loop.last }}
        {% endfor %}
        as part,
        silent_days,
        usual_gap_days,
        repeats,
        purchases_90,
        returned_lines,
        bad_answers,
        good_answers,
        age_days
    from scored
    {{ "union all" if not loop.last }}
    {% endfor %}

),

ranked as (

    select
        *,
        row_number() over (
            partition by customer_id order by cast(part as decimal(18, 8)) desc, reason_code
        ) as reason_rank
    from parts
    where part > 0.05

),

worded as (

    select
        customer_id,
        reason_rank,
        case reason_code
            when 'silence'
                then
                    concat(
                        'last purchase ', silent_days, ' days ago',
                        case
                            when usual_gap_days is not null
                                then
                                    concat(
                                        ', usually one every ',
                                        cast(round(usual_gap_days) as bigint), ' days'
                                    )
                            else ''
                        end
                    )
            when 'bought_once'
                then
                    case
                        when repeats = 0 then 'bought only once'
                        else concat('repeat purchases so far: ', repeats)
                    end
            when 'recent_purchases'
                then concat('purchases in the last 90 days: ', purchases_90)
            when 'age' then concat('customer for ', age_days, ' days')
            when 'spend' then 'amount per purchase is one that less often comes back'
            when 'returned' then concat('lines returned in the last 180 days: ', returned_lines)
            when 'dissatisfied'
                then
                    concat(
                        'answers in the last 180 days: ', bad_answers, ' dissatisfied, ',
                        good_answers, ' satisfied'
                    )
        end as reason
    from ranked
    where reason_rank <= 3

),

reasons as (

    select
        customer_id,
        max(reason) filter (where reason_rank = 1) as reason_1,
        max(reason) filter (where reason_rank = 2) as reason_2,
        max(reason) filter (where reason_rank = 3) as reason_3
    from worded
    group by customer_id

)

select
    purchases.customer_id,
    purchases.segment,
    horizons.horizon_days,
    cast(scored.churn_probability as decimal(18, 8)) as churn_probability,
    reasons.reason_1,
    reasons.reason_2,
    reasons.reason_3,
    scored.parameters_version,
    scored.fitted_on,
    coalesce(not scored.is_of_this_night, false) as is_carried,
    case
        when features.customer_id is null then 'left_already'
        when scored.customer_id is null then coalesce(tested.problem, 'not_trained')
    end as missing_reason
from purchases
inner join horizons
    on purchases.segment = horizons.segment
cross join tested
left join features
    on purchases.customer_id = features.customer_id
left join scored
    on purchases.customer_id = scored.customer_id
left join reasons
    on purchases.customer_id = reasons.customer_id
