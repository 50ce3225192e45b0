-- One row per touchpoint, stage or company and period: the CX index, 0 to 100. A touchpoint's index
-- is the weighted mean of its components, a stage's that of its touchpoints, the company's that of
-- its stages. A component that has no answers spreads its weight over the others. The variance is
-- that of the weighted mean of ratios (delta method), with the covariances of answers by one
-- respondent.
{{ config(materialized="view") }}

{% set period_starts = {"day": "date_day", "month": "month_start", "quarter": "quarter_start"} %}

with days as (

    select * from {{ ref("int_days_dated") }}

),

weights as (

    select * from {{ ref("cx_index_weights") }}

),

survey_pairs as (

    select
        date_day,
        touchpoint_code,
        measure_code,
        other_measure_code,
        answer_count,
        score_sum,
        score_score_sum,
        score_count_sum,
        count_score_sum,
        count_count_sum
    from {{ ref("int_cx_pairs_counted_daily") }}
    where touchpoint_code is not null
    union all
    select
        date_day,
        touchpoint_code,
        measure_code,
        measure_code as other_measure_code,
        n as answer_count,
        cast(100 * numerator as bigint) as score_sum,
        cast(10000 * numerator as bigint) as score_score_sum,
        cast(100 * numerator as bigint) as score_count_sum,
        cast(100 * numerator as bigint) as count_score_sum,
        n as count_count_sum
    from {{ ref("int_tickets_counted_daily") }}

),

pairs as (

    {% for period_type, period_start in period_starts.items() %}
    select
        '{{ period_type }}' as period_type,
        days.{{ period_start }} as period_start,
        survey_pairs.touchpoint_code,
        survey_pairs.measure_code,
        survey_pairs.other_measure_code,
        sum(survey_pairs.answer_count) as answer_count,
        sum(survey_pairs.score_sum) as score_sum,
        sum(survey_pairs.score_score_sum) as score_score_sum,
        sum(survey_pairs.score_count_sum) as score_count_sum,
        sum(survey_pairs.count_score_sum) as count_score_sum,
        sum(survey_pairs.count_count_sum) as count_count_sum
    from survey_pairs
    inner join days
        on survey_pairs.date_day = days.date_day
    group by
        days.{{ period_start }},
        survey_pairs.touchpoint_code,
        survey_pairs.measure_code,
        survey_pairs.other_measure_code
    {{ "union all" if not loop.last }}
    {% endfor %}

),

-- A touchpoint's own weights replace those for all.
components as (

    select
        pairs.period_type,
        pairs.period_start,
        pairs.touchpoint_code,
        pairs.measure_code,
        pairs.answer_count,
        cast(pairs.score_sum as double) / pairs.answer_count as mean_score,
        weights.weight
    from pairs
    inner join weights
        on
            weights.parent_type = 'touchpoint'
            and weights.parent_code in (pairs.touchpoint_code, '*')
            and pairs.measure_code = weights.component_code
            and {{ in_force("weights", "pairs.period_start") }}
    where
        pairs.measure_code = pairs.other_measure_code
        and pairs.answer_count > 0
        and weights.weight > 0
    qualify
        rank() over (
            partition by pairs.period_type, pairs.period_start, pairs.touchpoint_code
            order by case when weights.parent_code = '*' then 1 else 0 end
        ) = 1

),

coefficients as (

    select
        *,
        cast(weight as double) / cast(
            sum(weight) over (partition by period_type, period_start, touchpoint_code) as double
        ) as share
    from components

),

variances as (

    select
        pairs.period_type,
        pairs.period_start,
        pairs.touchpoint_code,
        {{ stable_sum("""
            case when pairs.measure_code = pairs.other_measure_code then 1 else 2 end
            * coefficients.share * others.share
            * (
                pairs.score_score_sum
                - others.mean_score * pairs.score_count_sum
                - coefficients.mean_score * pairs.count_score_sum
                + coefficients.mean_score * others.mean_score * pairs.count_count_sum
            )
            / (cast(coefficients.answer_count as double) * others.answer_count)
        """) }} as variance
    from pairs
    inner join coefficients
        on
            pairs.period_type = coefficients.period_type
            and pairs.period_start = coefficients.period_start
            and pairs.touchpoint_code = coefficients.touchpoint_code
            and pairs.measure_code = coefficients.measure_code
    inner join coefficients as others
        on
            pairs.period_type = others.period_type
            and pairs.period_start = others.period_start
            and pairs.touchpoint_code = others.touchpoint_code
            and pairs.other_measure_code = others.measure_code
    group by pairs.period_type, pairs.period_start, pairs.touchpoint_code

),

touchpoint_indexes as (

    select
        coefficients.period_type,
        coefficients.period_start,
        coefficients.touchpoint_code,
        {{ stable_sum("coefficients.share * coefficients.mean_score") }} as index_value,
        max(variances.variance) as variance,
        max(coefficients.answer_count) as n
    from coefficients
    inner join variances
        on
            coefficients.period_type = variances.period_type
            and coefficients.period_start = variances.period_start
            and coefficients.touchpoint_code = variances.touchpoint_code
    group by
        coefficients.period_type, coefficients.period_start, coefficients.touchpoint_code

),

{% for parent, child, childs in [
    ("stage", "touchpoint", "touchpoint_indexes"), ("company", "stage", "stage_indexes")
] %}
{{ parent }}_parts as (

    select
        {{ childs }}.*,
        weights.parent_code as {{ parent }}_code,
        cast(weights.weight as double) / cast(
            sum(weights.weight) over (
                partition by
                    {{ childs }}.period_type, {{ childs }}.period_start, weights.parent_code
            ) as double
        ) as share
    from {{ childs }}
    inner join weights
        on
            weights.parent_type = '{{ parent }}'
            and {{ childs }}.{{ child }}_code = weights.component_code
            and {{ in_force("weights", childs ~ ".period_start") }}
    where weights.weight > 0

),

{{ parent }}_indexes as (

    select
        period_type,
        period_start,
        {{ parent }}_code,
        {{ stable_sum("share * index_value") }} as index_value,
        {{ stable_sum("share * share * variance") }} as variance,
        sum(n) as n
    from {{ parent }}_parts
    group by period_type, period_start, {{ parent }}_code

),

{% endfor %}
indexes as (

    {% for level in ["touchpoint", "stage", "company"] %}
    select
        '{{ level }}' as level,
        {{ level }}_code as entity_id,
        period_type,
        period_start,
        index_value,
        variance,
        n
    from {{ level }}_indexes
    {{ "union all" if not loop.last }}
    {% endfor %}

)

select
    'cx_index' as measure_code,
    level,
    entity_id,
    period_type,
    period_start,
    -- Rounded as a decimal: of the double 70.3151455, DuckDB 2 makes another sixth digit than 1.5.
    cast(round(cast(index_value as decimal(38, 12)), 6) as decimal(38, 12)) as value,
    cast(n as bigint) as n,
    -- One answer tells nothing of how answers differ.
    case
        when n > 1
            then
                round(
                    greatest(0.0, index_value - {{ z_95() }} * sqrt(greatest(variance, 0.0))), 6
                )
    end as ci_low,
    case
        when n > 1
            then
                round(
                    least(100.0, index_value + {{ z_95() }} * sqrt(greatest(variance, 0.0))), 6
                )
    end as ci_high
from indexes
