with latest as (

    {{ latest_version(source("service", "interactions"), ["interaction_id"]) }}

)

select
    interaction_id,
    occurred_at,
    touchpoint_code,
    channel,
    customer_id,
    store_id,
    employee_id,
    campaign_code,
    item_code,
    order_id,
    contact_hash,
    card_id,
    _file_id as file_id,
    _line_no as file_line_no
from latest
