with shares as (

    select * from {{ ref("int_blame_shared") }}

),

outcomes as (

    select * from {{ ref("int_outcomes_listed") }}

)

select
    shares.outcome_id,
    outcomes.outcome_code,
    outcomes.outcome_on,
    outcomes.customer_id,
    outcomes.segment,
    outcomes.store_id,
    outcomes.region,
    shares.department_code,
    shares.touchpoint_code,
    shares.share,
    outcomes.loss_amount,
    cast(shares.share * outcomes.loss_amount as decimal(38, 10)) as blamed_amount,
    '{{ var("company_currency") }}' as currency_code,
    shares.split_rule,
    cast(shares.evidence_count as bigint) as evidence_count
from shares
inner join outcomes
    on shares.outcome_id = outcomes.outcome_id
