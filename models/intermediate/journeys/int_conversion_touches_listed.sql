-- One row per way to an outcome, kind of unit (touchpoint, campaign) and touch on it, in order. A
-- way without a touch of the kind has one named `direct`, so that every conversion is credited
-- and every way without one counts against what was on it.
with paths as (

    select * from {{ ref("int_conversion_paths_listed") }}

),

touches as (

    select * from {{ ref("int_touches_sequenced") }}

),

on_path as (

    select
        paths.path_id,
        touches.touchpoint_code,
        touches.campaign_code,
        touches.occurred_at,
        touches.event_id
    from touches
    inner join paths
        on
            paths.outcome_code = 'order'
            and paths.path_id
            = concat('order/', touches.journey_id, '/', touches.orders_before)
    where touches.stage_code = 'contact' and touches.order_amount is null
    union all
    select
        paths.path_id,
        touches.touchpoint_code,
        touches.campaign_code,
        touches.occurred_at,
        touches.event_id
    from touches
    inner join paths
        on
            paths.outcome_code = 'repurchase'
            and touches.customer_id = paths.customer_id
            and touches.orders_before = paths.order_no
            and touches.occurred_on <= paths.ended_on
    where touches.order_amount is null

),

units as (

    {% for kind in ["touchpoint", "campaign"] %}
    select
        '{{ kind }}' as unit_kind,
        path_id,
        {{ kind }}_code as unit_code,
        occurred_at,
        event_id
    from on_path
    where {{ kind }}_code is not null
    union all
    {% endfor %}
    {% for kind in ["touchpoint", "campaign"] %}
    select
        '{{ kind }}' as unit_kind,
        paths.path_id,
        'direct' as unit_code,
        paths.ended_at as occurred_at,
        null as event_id
    from paths
    where
        not exists (
            select 1 from on_path
            where
                on_path.path_id = paths.path_id
                and on_path.{{ kind }}_code is not null
        )
    {{ "union all" if not loop.last }}
    {% endfor %}

)

select
    units.unit_kind,
    paths.path_id,
    paths.outcome_code,
    units.unit_code,
    row_number() over (
        partition by units.unit_kind, units.path_id order by units.occurred_at, units.event_id
    ) as position,
    count(*) over (partition by units.unit_kind, units.path_id) as positions,
    {{ dbt.datediff("units.occurred_at", "paths.ended_at", "second") }} as seconds_before,
    paths.is_converted,
    paths.amount,
    coalesce(
        days.quarter_start, cast({{ dbt.date_trunc("quarter", "paths.ended_on") }} as date)
    ) as quarter_start
from units
inner join paths
    on units.path_id = paths.path_id
left join {{ ref("int_days_dated") }} as days
    on paths.ended_on = days.date_day
