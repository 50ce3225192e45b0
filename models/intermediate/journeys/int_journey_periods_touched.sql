-- One row per month and quarter of which a touch, an answer or a journey is not as it was when its
-- transitions and touchpoints were counted. Late evidence touches the period it is about, a night
-- with nothing but today's touches the month and the quarter of today and those in which the
-- journeys began that go on or end.
with events as (

    select
        month_start,
        quarter_start,
        sum({{ row_stamp([
            "touchpoint_code", "store_id", "region", "segment", "unlinked", "settled", "dropped",
            "rework", "seconds_to_next", "business_seconds_to_next", "customer_id", "journey_id",
            "measure_code", "good", "bad", "complaints", "standards", "delays",
        ]) }}) as stamp
    from {{ ref("int_touchpoint_events_listed") }}
    group by month_start, quarter_start

),

journeys as (

    select
        month_start,
        quarter_start,
        sum({{ row_stamp(
            ["journey_id", "store_id", "region", "segment", "is_open", "moves_stamp"]
        ) }}) as stamp
    from {{ ref("int_journeys_summed") }}
    group by month_start, quarter_start

),

stamps as (

    {% for stamped in ["events", "journeys"] %}
    {% set is_last_table = loop.last %}
    {% for period_type in ["month", "quarter"] %}
    select
        '{{ period_type }}' as period_type,
        {{ period_type }}_start as period_start,
        stamp
    from {{ stamped }}
    {{ "union all" if not (loop.last and is_last_table) }}
    {% endfor %}
    {% endfor %}

),

wanted as (

    select
        period_type,
        period_start,
        sum(stamp) + {{ code_stamp() }} as period_stamp
    from stamps
    group by period_type, period_start

),

counted as (

    {{ stamps_in_book(
        "int_journey_periods_counted",
        ["int_transitions_counted", "int_touchpoints_counted"],
        {"period_type": "varchar", "period_start": "date"},
        "period_stamp",
    ) }}

)

select
    coalesce(wanted.period_type, counted.period_type) as period_type,
    coalesce(wanted.period_start, counted.period_start) as period_start,
    cast(wanted.period_stamp as decimal(38, 0)) as period_stamp
from wanted
full outer join counted
    on
        wanted.period_type = counted.period_type
        and wanted.period_start = counted.period_start
where wanted.period_stamp is distinct from counted.period_stamp
