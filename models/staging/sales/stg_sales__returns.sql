with latest as (

    {{ latest_version(source("sales", "returns"), ["return_id"]) }}

)

select
    return_id,
    order_id,
    line_no,
    returned_at,
    quantity,
    refund_amount,
    reason_code,
    _file_id as file_id,
    _line_no as file_line_no
from latest
