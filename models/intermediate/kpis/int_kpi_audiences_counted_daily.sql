-- One row per measure, day, touchpoint, customer segment and channel: additive counts of what is
-- known by who was asked, where and how.
{{ config(materialized="view") }}

select
    measure_code,
    date_day,
    touchpoint_code,
    segment,
    channel,
    cast(numerator as decimal(28, 4)) as numerator,
    cast(denominator as decimal(28, 4)) as denominator,
    n,
    favourable_count,
    unfavourable_count,
    score_sum,
    excluded_count,
    uncredited_count,
    screened_count,
    screened_numerator,
    weight_sum,
    weight_square_sum,
    weighted_numerator
from {{ ref("int_survey_audiences_counted_daily") }}
union all
select
    measure_code,
    date_day,
    touchpoint_code,
    segment,
    channel,
    cast(sum(numerator) as decimal(28, 4)) as numerator,
    cast(sum(denominator) as decimal(28, 4)) as denominator,
    cast(sum(n) as bigint) as n,
    cast(sum(favourable_count) as bigint) as favourable_count,
    cast(null as bigint) as unfavourable_count,
    cast(null as decimal(38, 12)) as score_sum,
    cast(sum(excluded_count) as bigint) as excluded_count,
    cast(sum(uncredited_count) as bigint) as uncredited_count,
    cast(null as bigint) as screened_count,
    cast(null as bigint) as screened_numerator,
    cast(null as decimal(18, 6)) as weight_sum,
    cast(null as decimal(38, 12)) as weight_square_sum,
    cast(null as decimal(18, 6)) as weighted_numerator
from {{ ref("int_response_rates_counted_daily") }}
group by measure_code, date_day, touchpoint_code, segment, channel
union all
select
    measure_code,
    date_day,
    touchpoint_code,
    segment,
    channel,
    cast(sum(numerator) as decimal(28, 4)) as numerator,
    cast(sum(denominator) as decimal(28, 4)) as denominator,
    cast(sum(n) as bigint) as n,
    cast(sum(favourable_count) as bigint) as favourable_count,
    cast(null as bigint) as unfavourable_count,
    cast(null as decimal(38, 12)) as score_sum,
    cast(sum(excluded_count) as bigint) as excluded_count,
    cast(sum(uncredited_count) as bigint) as uncredited_count,
    cast(null as bigint) as screened_count,
    cast(null as bigint) as screened_numerator,
    cast(null as decimal(18, 6)) as weight_sum,
    cast(null as decimal(38, 12)) as weight_square_sum,
    cast(null as decimal(18, 6)) as weighted_numerator
from {{ ref("int_tickets_counted_daily") }}
group by measure_code, date_day, touchpoint_code, segment, channel
