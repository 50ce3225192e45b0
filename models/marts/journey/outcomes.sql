with outcomes as (

    select * from {{ ref("int_outcomes_listed") }}

),

explained as (

    select
        outcome_id,
        sum(share) as explained_ratio
    from {{ ref("int_blame_shared") }}
    where department_code is not null
    group by outcome_id

)

select
    outcomes.outcome_id,
    outcomes.outcome_code,
    outcomes.customer_id,
    outcomes.response_id,
    outcomes.touchpoint_code,
    outcomes.outcome_on,
    outcomes.segment,
    outcomes.store_id,
    outcomes.region,
    outcomes.loss_amount,
    '{{ var("company_currency") }}' as currency_code,
    cast(coalesce(explained.explained_ratio, 0) as decimal(9, 6)) as explained_ratio
from outcomes
left join explained
    on outcomes.outcome_id = explained.outcome_id
