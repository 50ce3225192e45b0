with source as (

    select * from {{ source("sales", "stores") }}

),

latest as (

    {{ latest_of_snapshots("source", ["store_id"]) }}

)

select
    store_id,
    store_name,
    region,
    format,
    opened_on,
    coalesce(closed_on, gone_on) as closed_on,
    _file_id as file_id,
    _line_no as file_line_no
from latest
