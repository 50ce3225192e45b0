with recorded as (

    select * from {{ source("control", "ledger_adjustments") }}

),

proposed as (

    select * from {{ ref("int_adjustments_proposed") }}

)

select
    adjustment_id,
    statement_id,
    line_key,
    employee_id,
    plan_code,
    period_type,
    corrected_period_start,
    posted_period_start,
    adjustment_type,
    amount,
    currency_code,
    reason,
    approved_by,
    true as is_frozen
from recorded
union all
select
    adjustment_id,
    statement_id,
    line_key,
    employee_id,
    plan_code,
    period_type,
    corrected_period_start,
    posted_period_start,
    adjustment_type,
    amount,
    currency_code,
    reason,
    cast(null as {{ dbt.type_string() }}) as approved_by,
    false as is_frozen
from proposed
