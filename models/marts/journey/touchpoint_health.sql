with counted as (

    select * from {{ ref("int_touchpoints_counted") }}

),

stages as (

    select
        touchpoint_code,
        stage_code
    from {{ ref("touchpoints") }}
    qualify row_number() over (partition by touchpoint_code order by valid_from desc) = 1

)

select
    counted.period_type,
    counted.period_start,
    counted.level,
    counted.entity_id,
    counted.touchpoint_code,
    stages.stage_code,
    counted.event_count,
    counted.unlinked_count,
    counted.customer_count,
    counted.journey_count,
    {% for measure in ["csat", "ces"] %}
    counted.{{ measure }}_n,
    counted.{{ measure }}_good as {{ measure }}_top_count,
    cast(counted.{{ measure }}_good as double) / nullif(counted.{{ measure }}_n, 0)
        as {{ measure }}_ratio,
    {{ wilson_bound("counted." ~ measure ~ "_good", "counted." ~ measure ~ "_n", "low") }}
        as {{ measure }}_low,
    {{ wilson_bound("counted." ~ measure ~ "_good", "counted." ~ measure ~ "_n", "high") }}
        as {{ measure }}_high,
    {% endfor %}
    counted.nps_n,
    counted.nps_good as promoter_count,
    counted.nps_bad as detractor_count,
    100.0 * (counted.nps_good - counted.nps_bad) / nullif(counted.nps_n, 0) as nps,
    {{ nps_bound("counted.nps_good", "counted.nps_bad", "counted.nps_n", "low") }} as nps_low,
    {{ nps_bound("counted.nps_good", "counted.nps_bad", "counted.nps_n", "high") }} as nps_high,
    cast(counted.nps_bad as double) / nullif(counted.nps_n, 0) as detractor_ratio,
    {{ wilson_bound("counted.nps_bad", "counted.nps_n", "low") }} as detractor_low,
    {{ wilson_bound("counted.nps_bad", "counted.nps_n", "high") }} as detractor_high,
    counted.settled_count,
    counted.drop_off_count,
    cast(counted.drop_off_count as double) / nullif(counted.settled_count, 0) as drop_off_ratio,
    {{ wilson_bound("counted.drop_off_count", "counted.settled_count", "low") }} as drop_off_low,
    {{ wilson_bound("counted.drop_off_count", "counted.settled_count", "high") }}
        as drop_off_high,
    counted.rework_count,
    counted.complaint_count,
    counted.standard_count,
    counted.delay_count,
    counted.median_seconds_to_next / 3600 as median_hours_to_next,
    counted.median_business_seconds_to_next / 3600 as median_business_hours_to_next
from counted
left join stages
    on counted.touchpoint_code = stages.touchpoint_code
