-- One row per measure, level, entity and period that is not a sum of daily counts: distinct
-- customers (who came back, stayed, left or were won), the value of customers, what teams and
-- owners of touchpoints share, which departments' touchpoints explain bad outcomes, the CX index,
-- and what was computed elsewhere. A measure that does not add up over days joins here.
{% for counts in [
    "int_repurchases_counted",
    "int_loyalty_counted",
    "int_customer_values_counted",
    "int_kpis_shared",
    "int_blame_counted",
] %}
select
    measure_code,
    level,
    entity_id,
    period_type,
    period_start,
    numerator,
    denominator,
    n,
    favourable_count,
    unfavourable_count,
    score_sum,
    excluded_count,
    cast(null as decimal(38, 12)) as value,
    cast(null as double) as ci_low,
    cast(null as double) as ci_high,
    cast(null as decimal(28, 14)) as delivered_value,
    cast(null as decimal(18, 4)) as delivered_floor,
    cast(null as decimal(18, 4)) as delivered_threshold,
    cast(null as decimal(18, 4)) as delivered_benchmark,
    cast(null as decimal(18, 4)) as baseline,
    'computed' as origin
from {{ ref(counts) }}
union all
{% endfor %}
select
    measure_code,
    level,
    entity_id,
    period_type,
    period_start,
    cast(value as decimal(28, 4)) as numerator,
    cast(null as decimal(28, 4)) as denominator,
    n,
    cast(null as bigint) as favourable_count,
    cast(null as bigint) as unfavourable_count,
    cast(null as decimal(38, 12)) as score_sum,
    cast(0 as bigint) as excluded_count,
    value,
    ci_low,
    ci_high,
    cast(null as decimal(28, 14)) as delivered_value,
    cast(null as decimal(18, 4)) as delivered_floor,
    cast(null as decimal(18, 4)) as delivered_threshold,
    cast(null as decimal(18, 4)) as delivered_benchmark,
    cast(null as decimal(18, 4)) as baseline,
    'computed' as origin
from {{ ref("int_cx_indexes_valued") }}
union all
select
    measure_code,
    level,
    entity_id,
    period_type,
    period_start,
    cast(value as decimal(28, 4)) as numerator,
    cast(null as decimal(28, 4)) as denominator,
    n,
    cast(null as bigint) as favourable_count,
    cast(null as bigint) as unfavourable_count,
    cast(null as decimal(38, 12)) as score_sum,
    cast(0 as bigint) as excluded_count,
    cast(value as decimal(38, 12)) as value,
    cast(null as double) as ci_low,
    cast(null as double) as ci_high,
    value as delivered_value,
    floor as delivered_floor,
    threshold as delivered_threshold,
    benchmark as delivered_benchmark,
    baseline,
    'delivered' as origin
from {{ ref("int_measure_values_dated") }}
where not is_pay_parameter
