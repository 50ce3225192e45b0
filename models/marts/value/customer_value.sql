with customers as (

    select
        customer_id,
        segment
    from {{ ref("stg_sales__customers") }}

),

rfm as (

    select * from {{ ref("int_rfm_scored") }}

),

night as (

    select as_of from {{ source("control", "night") }}

),

valued as (

    select valued.*
    from {{ ref("int_customers_valued") }} as valued
    inner join night
        on
            valued.valued_on = night.as_of
            and valued.looked_from = night.as_of

)

select
    coalesce(customers.customer_id, rfm.customer_id) as customer_id,
    night.as_of,
    coalesce(customers.segment, 'unknown') as segment,
    rfm.first_ordered_on,
    rfm.last_ordered_on,
    coalesce(rfm.purchase_count, 0) as purchase_count,
    coalesce(rfm.purchase_amount, 0) as purchase_amount,
    rfm.recency_score,
    rfm.frequency_score,
    rfm.money_score,
    case
        when rfm.recency_score is null then 'never_bought'
        when rfm.recency_score >= 4 and rfm.frequency_score >= 4 then 'loyal'
        when rfm.recency_score >= 4 and rfm.purchase_count = 1 then 'new'
        when rfm.recency_score >= 4 then 'promising'
        when rfm.frequency_score >= 4 then 'slipping'
        when rfm.recency_score >= 2 then 'occasional'
        else 'dormant'
    end as rfm_segment,
    valued.repeats as repeat_purchases,
    cast(valued.last_days as double) / 7 as last_purchase_weeks,
    cast(valued.age_days as double) / 7 as age_weeks,
    valued.probability_alive,
    valued.expected_purchases_12m,
    valued.expected_purchases_36m,
    valued.expected_spend_amount,
    valued.margin_ratio,
    valued.clv_12m_amount,
    valued.clv_36m_amount,
    '{{ var("company_currency") }}' as currency_code,
    valued.purchase_model_segment,
    valued.purchase_version as purchase_parameters_version,
    valued.spend_model_segment,
    valued.spend_version as spend_parameters_version,
    coalesce(valued.is_carried, false) as is_carried,
    case
        when rfm.customer_id is null then 'no_purchase'
        else valued.missing_reason
    end as missing_reason
from customers
full outer join rfm
    on customers.customer_id = rfm.customer_id
cross join night
left join valued
    on rfm.customer_id = valued.customer_id
