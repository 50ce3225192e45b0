-- One row per snapshot of the churn model. The one of `as_of` is scored. The latest one whose
-- outcome is known is tested on, by a model of snapshots whose outcomes were known by then; the
-- model that scores is trained on all whose outcome is known now.
with settings as (

    select * from {{ ref("value_settings") }}
    where setting_code = 'churn_horizon_days'

),

night as (

    select as_of from {{ source("control", "night") }}

),

first_purchases as (

    select min(ordered_on) as first_ordered_on from {{ ref("int_customer_purchases_dated") }}

),

horizons as (

    select
        night.as_of,
        cast(max(settings.value) as integer) as horizon_days
    from night
    inner join settings on {{ in_force("settings", "night.as_of") }}
    group by night.as_of

),

snapshots as (

    select
        as_of as snapshot_on,
        true as is_scored,
        false as is_tested,
        false as trains_tested,
        false as trains_scored
    from horizons
    union all
    select
        {{ add_days("as_of", "-horizon_days") }} as snapshot_on,
        false as is_scored,
        true as is_tested,
        false as trains_tested,
        false as trains_scored
    from horizons
    {% for months in range(6) %}
    union all
    select
        {{ add_days("as_of", "-horizon_days - " ~ 30 * months) }} as snapshot_on,
        false as is_scored,
        false as is_tested,
        false as trains_tested,
        true as trains_scored
    from horizons
    union all
    select
        {{ add_days("as_of", "-2 * horizon_days - " ~ 30 * months) }} as snapshot_on,
        false as is_scored,
        false as is_tested,
        true as trains_tested,
        false as trains_scored
    from horizons
    {% endfor %}

)

select
    snapshots.snapshot_on,
    bool_or(snapshots.is_scored) as is_scored,
    bool_or(snapshots.is_tested) as is_tested,
    bool_or(snapshots.trains_tested) as trains_tested,
    bool_or(snapshots.trains_scored) as trains_scored
from snapshots
cross join first_purchases
-- Before that there is nothing to see a habit in.
where
    snapshots.is_scored
    or snapshots.snapshot_on >= {{ add_days("first_purchases.first_ordered_on", 60) }}
group by snapshots.snapshot_on
