with latest as (

    {{ latest_version(source("survey", "invitations"), ["invitation_id"]) }}

)

select
    invitation_id,
    survey_code,
    channel,
    sent_at,
    customer_id,
    order_id,
    store_id,
    employee_id,
    touchpoint_code,
    _file_id as file_id,
    _line_no as file_line_no
from latest
