-- One row per segment of customers: days without a purchase after which one of it has left.
with purchases as (

    select distinct segment from {{ ref("int_customer_purchases_dated") }}

),

settings as (

    select * from {{ ref("value_settings") }}
    where setting_code = 'churn_horizon_days'

),

night as (

    select as_of from {{ source("control", "night") }}

)

select
    purchases.segment,
    cast(settings.value as integer) as horizon_days
from purchases
cross join night
inner join settings
    on
        settings.segment in ('*', purchases.segment)
        and {{ in_force("settings", "night.as_of") }}
qualify
    row_number() over (
        partition by purchases.segment
        order by case when settings.segment = '*' then 1 else 0 end
    ) = 1
