with latest as (

    {{ latest_version(source("survey", "responses"), ["response_id"]) }}

)

select
    response_id,
    survey_code,
    channel,
    submitted_at,
    invitation_id,
    customer_id,
    order_id,
    store_id,
    employee_id,
    touchpoint_code,
    started_at,
    device_id,
    network_id,
    qr_token,
    language,
    _file_id as file_id,
    _line_no as file_line_no
from latest
