-- One row per measure, level, entity and period: the exact value with its numbers and interval, of
-- the touched periods. What governs a measure there (unit, direction, targets) is not stored once
-- more for every entity: int_kpis_valued joins it. The pay path reads the decimals; the bounds are
-- statistics and may be doubles.
{{ config(
    materialized="patched",
    patched_by="int_kpi_periods_touched",
    partition=["period_type", "period_start"],
) }}

with touched as (

    select * from {{ ref("int_kpi_periods_touched") }}

),

summed as (

    {{ rows_of_touched_periods(ref("int_kpis_summed")) }}

),

credited as (

    select counts.*
    from {{ ref("int_survey_counted_daily") }} as counts
    inner join touched
        on
            counts.date_day = touched.period_start
            and touched.period_type = 'day'
    where counts.employee_id is not null

),

-- Employees have days in survey measures only. There are about as many as daily counts, so that
-- they are added up from there and not stored as sums first.
employee_days as (

    select
        measure_code,
        'employee' as level,
        employee_id as entity_id,
        'day' as period_type,
        date_day as period_start,
        {{- kpi_sums(counts_only=true) | indent(4) }}
    from credited
    group by measure_code, employee_id, date_day

),

supplied as (

    {{ rows_of_touched_periods(ref("int_kpis_supplied")) }}

),

measures as (

    select * from {{ ref("measures") }}

),

periods as (

    select * from {{ ref("int_periods_listed") }}

),

-- The unit of a measure in a touched period.
definitions as (

    select
        measures.measure_code,
        periods.period_type,
        periods.period_start,
        measures.unit
    from periods
    inner join touched
        on
            periods.period_type = touched.period_type
            and periods.period_start = touched.period_start
    inner join measures
        on {{ in_force("measures", "periods.period_start") }}

),

-- Shares of answers (a touchpoint with two owners) carry more decimals than sums of days do.
results as (

    {% for sums in ["summed", "employee_days"] %}
    select
        measure_code,
        level,
        entity_id,
        period_type,
        period_start,
        numerator,
        denominator,
        cast(null as decimal(28, 10)) as shared_numerator,
        cast(null as decimal(28, 10)) as shared_denominator,
        cast(numerator as double) as successes,
        cast(denominator as double) as trials,
        n,
        favourable_count,
        unfavourable_count,
        cast(score_sum as double) as score_sum,
        excluded_count,
        uncredited_count,
        screened_count,
        screened_numerator,
        cast(weight_sum as double) as weight_sum,
        cast(weight_square_sum as double) as weight_square_sum,
        cast(weighted_numerator as double) as weighted_numerator,
        cast(null as decimal(38, 12)) as supplied_value,
        cast(null as double) as supplied_ci_low,
        cast(null as double) as supplied_ci_high,
        cast(null as decimal(28, 14)) as delivered_value,
        false as is_delivered
    from {{ sums }}
    union all
    {% endfor %}
    select
        measure_code,
        level,
        entity_id,
        period_type,
        period_start,
        cast(numerator as decimal(28, 4)) as numerator,
        cast(denominator as decimal(28, 4)) as denominator,
        cast(numerator as decimal(28, 10)) as shared_numerator,
        cast(denominator as decimal(28, 10)) as shared_denominator,
        cast(numerator as double) as successes,
        cast(denominator as double) as trials,
        n,
        favourable_count,
        unfavourable_count,
        cast(score_sum as double) as score_sum,
        excluded_count,
        cast(null as bigint) as uncredited_count,
        cast(null as bigint) as screened_count,
        cast(null as bigint) as screened_numerator,
        cast(null as double) as weight_sum,
        cast(null as double) as weight_square_sum,
        cast(null as double) as weighted_numerator,
        value as supplied_value,
        ci_low as supplied_ci_low,
        ci_high as supplied_ci_high,
        delivered_value,
        origin = 'delivered' as is_delivered
    from supplied

),

delivered as (

    select
        measure_code,
        level,
        entity_id,
        period_type,
        period_start
    from supplied
    where origin = 'delivered'

),

-- A measure that the company does not define, or not yet, is not reported. One that is both
-- computed here and delivered keeps the delivered value: it is the one somebody answers for.
defined as (

    select
        results.*,
        definitions.unit,
        results.favourable_count
        - case when definitions.unit = 'points' then results.unfavourable_count else 0 end
            as answer_balance
    from results
    inner join definitions
        on
            results.measure_code = definitions.measure_code
            and results.period_type = definitions.period_type
            and results.period_start = definitions.period_start
    left join delivered
        on
            results.measure_code = delivered.measure_code
            and results.level = delivered.level
            and results.entity_id = delivered.entity_id
            and results.period_type = delivered.period_type
            and results.period_start = delivered.period_start
    where results.is_delivered or delivered.measure_code is null

),

-- A share of answers is a quotient of two counts, which is taken faster than that of two decimals.
divided as (

    select
        *,
        case
            when unit in ('amount', 'count', 'score') or is_delivered then null
            when shared_numerator is not null
                then {{ exact_divide("shared_numerator", "shared_denominator", 10) }}
            when numerator = answer_balance and denominator = n
                then {{ exact_divide_counts("answer_balance", "n") }}
            else {{ exact_divide("numerator", "denominator") }}
        end as quotient
    from defined

)

select
    measure_code,
    level,
    entity_id,
    period_type,
    period_start,
    is_delivered,
    case
        when is_delivered then cast(delivered_value as decimal(38, 12))
        when supplied_value is not null then supplied_value
        when unit in ('amount', 'count', 'score')
            then cast(numerator as decimal(38, 12))
        when unit = 'points' then cast(quotient * 100 as decimal(38, 12))
        else quotient
    end as value,
    numerator,
    denominator,
    n,
    favourable_count,
    unfavourable_count,
    excluded_count,
    uncredited_count,
    score_sum / nullif(n, 0) as mean_score,
    case
        when supplied_value is not null then supplied_ci_low
        when unit = 'ratio' then {{ wilson_bound("successes", "trials", "low") }}
        when unit = 'points'
            then {{ nps_bound("favourable_count", "unfavourable_count", "n", "low") }}
    end as ci_low,
    case
        when supplied_value is not null then supplied_ci_high
        when unit = 'ratio' then {{ wilson_bound("successes", "trials", "high") }}
        when unit = 'points'
            then {{ nps_bound("favourable_count", "unfavourable_count", "n", "high") }}
    end as ci_high,
    -- What the answers weigh, and what those that a screen took out would have changed.
    weighted_numerator / nullif(weight_sum, 0)
    * case when unit = 'points' then 100 else 1 end as weighted_value,
    power(weight_sum, 2) / nullif(weight_square_sum, 0) as effective_n,
    n * weight_square_sum / nullif(power(weight_sum, 2), 0) as design_effect,
    screened_count,
    case
        when screened_count is null then null
        else
            (successes + screened_numerator) / nullif(trials + screened_count, 0)
            * case when unit = 'points' then 100 else 1 end
    end as value_with_screened
from divided
