with placed as (

    select
        hold_id,
        employee_id,
        period_type,
        period_start,
        reason,
        held_by,
        held_at,
        released_by,
        released_at
    from {{ source("control", "ledger_holds") }}

),

doubted as (

    select * from {{ ref("int_payees_doubted") }}

)

select
    hold_id,
    employee_id,
    period_type,
    period_start,
    reason,
    held_by,
    held_at,
    released_by,
    released_at,
    released_at is null as is_held
from placed
union all
select
    hold_id,
    employee_id,
    period_type,
    period_start,
    concat(rule_name, ': ', observed) as reason,
    'gate' as held_by,
    cast(doubted_on as timestamp) as held_at,
    cast(null as varchar) as released_by,
    cast(null as timestamp) as released_at,
    true as is_held
from doubted
