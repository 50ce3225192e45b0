-- One row per scorecard line: points (100 at target, or all that a method has to give) and what
-- they contribute. The weight of a line that does not count is spread over the others in
-- proportion. Lines of closed periods stay as they were computed.
{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key=["period_type", "period_start"],
    on_schema_change="sync_all_columns",
) }}

with lines as (

    select * from {{ ref("int_scorecard_lines_attained") }}

),

segments as (

    select * from {{ ref("int_curve_segments_bounded") }}

),

pointed as (

    select
        lines.*,
        cast(
            case
                when lines.status != 'scored' then null
                -- Ten whole points at most, and twenty for consistency, as hundredths of all there
                -- is.
                when lines.scoring_method = 'achievement_or_improvement'
                    then lines.method_score * 10
                when lines.scoring_method = 'consistency' then lines.method_score * 5
                when lines.scoring_method = 'as_delivered' then lines.delivered_value
                when
                    lines.scoring_method = 'shrunken'
                    and lines.minimum_probability is not null
                    and coalesce(lines.probability_above_target, 0) < lines.minimum_probability
                    then 0
                else {{ curve_factor("segments", "lines.attainment") }} * 100
            end as decimal(24, 14)
        ) as points
    from lines
    left join segments
        on {{ on_curve_segment(
            "segments", "lines.curve_code", "lines.attainment", "lines.period_start"
        ) }}

),

summed as (

    select
        *,
        sum(weight) over domain as domain_weight,
        sum(case when status = 'scored' then weight end) over domain as domain_scored_weight,
        row_number() over (
            partition by level, entity_id, period_type, period_start, part_no, status
            order by weight desc, measure_code asc
        ) as weight_rank
    from pointed
    window domain as (
        partition by
            level,
            entity_id,
            period_type,
            period_start,
            part_no,
            coalesce(domain_code, measure_code)
    )

),

-- A measure that does not count leaves its weight to its domain, a domain without any measure that
-- counts to the others.
spread as (

    select
        *,
        case
            when status = 'scored' and domain_scored_weight > 0
                then {{ exact_divide(
                    "weight * domain_weight", "domain_scored_weight", operand_scale=10
                ) }}
        end as weight_in_domain
    from summed

),

proportioned as (

    select
        *,
        case
            when status = 'scored'
                then cast(
                    {{ exact_divide(
                        "weight_in_domain", "sum(weight_in_domain) over subject", operand_scale=12
                    ) }} as decimal(14, 12)
                )
        end as proportional_weight
    from spread
    window subject as (
        partition by level, entity_id, period_type, period_start, part_no
    )

),

-- Thirds do not add up to 1 in decimals: the heaviest line takes the last digit.
weighted as (

    select
        *,
        case
            -- A line of weight 0 is shown and decides nothing, also where it is the only one that
            -- counts.
            when status != 'scored' or proportional_weight is null
                then cast(0 as decimal(14, 12))
            when weight_rank = 1
                then cast(
                    1 - (sum(proportional_weight) over subject - proportional_weight)
                    as decimal(14, 12)
                )
            else proportional_weight
        end as effective_weight
    from proportioned
    window subject as (
        partition by level, entity_id, period_type, period_start, part_no
    )

)

select
    level,
    entity_id,
    template_code,
    subject_code,
    store_id,
    department_code,
    region,
    period_type,
    period_start,
    period_end,
    is_complete,
    part_no,
    part_start,
    part_end,
    is_main_part,
    measure_code,
    measured_at,
    measured_level,
    measured_entity_id,
    scoring_method,
    curve_code,
    coalesce(domain_code, measure_code) as domain_code,
    minimum_probability,
    definition_version,
    status,
    is_shown,
    value,
    n,
    ci_low,
    ci_high,
    baseline,
    floor,
    threshold,
    target,
    shrunken_value,
    probability_above_target,
    attainment,
    achievement_points,
    improvement_points,
    method_score,
    weight,
    effective_weight,
    points,
    cast(coalesce(effective_weight * points, 0) as decimal(18, 12)) as contribution
from weighted
