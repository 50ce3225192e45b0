with touches as (

    select * from {{ ref("int_touches_linked") }}

),

sequenced as (

    select * from {{ ref("int_touches_sequenced") }}

)

select
    touches.event_id,
    touches.source_code,
    touches.source_id,
    touches.record_count,
    touches.occurred_at,
    touches.occurred_on,
    touches.touchpoint_code,
    touches.stage_code,
    touches.channel,
    touches.customer_id,
    touches.source_customer_id,
    touches.link_rule,
    touches.merge_rule,
    touches.segment,
    touches.order_id,
    touches.store_id,
    touches.region,
    touches.employee_id,
    touches.campaign_code,
    touches.item_code,
    touches.order_amount,
    touches.reason_code,
    sequenced.journey_id,
    sequenced.event_no,
    sequenced.next_touchpoint_code,
    cast(sequenced.seconds_to_next as bigint) as seconds_to_next,
    cast(sequenced.business_seconds_to_next as bigint) as business_seconds_to_next,
    sequenced.is_rework,
    touches.exclusion_reason
from touches
left join sequenced
    on touches.event_id = sequenced.event_id
