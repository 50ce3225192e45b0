with days as (

    select * from {{ ref("int_days_dated") }}

),

night as (

    select as_of from {{ source("control", "night") }}

)

select
    days.date_day,
    days.month_start,
    days.month_end,
    days.quarter_start,
    days.quarter_end,
    days.date_day <= night.as_of as is_known
from days
cross join night
