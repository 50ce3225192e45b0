-- One row per scorecard line: points (0 to 150 on the usual curve, 100 at target) and what they
-- contribute. The weight of a line that does not count is spread over the others in proportion.
with lines as (

    select * from {{ ref("int_scorecard_lines_attained") }}

),

segments as (

    select * from {{ ref("int_curve_segments_bounded") }}

),

pointed as (

    select
        lines.*,
        case
            when lines.status = 'scored'
                then
                    cast(
                        {{ curve_factor("segments", "lines.attainment") }} * 100
                        as decimal(18, 12)
                    )
        end as points,
        sum(case when lines.status = 'scored' then lines.weight end) over subject as scored_weight,
        row_number() over (
            partition by
                lines.level,
                lines.entity_id,
                lines.period_type,
                lines.period_start,
                lines.part_no,
                lines.status
            order by lines.weight desc, lines.measure_code asc
        ) as weight_rank
    from lines
    left join segments
        on {{ on_curve_segment(
            "segments", "lines.curve_code", "lines.attainment", "lines.period_start"
        ) }}
    window subject as (
        partition by
            lines.level,
            lines.entity_id,
            lines.period_type,
            lines.period_start,
            lines.part_no
    )

),

proportioned as (

    select
        *,
        case
            when status = 'scored'
                then cast(
                    {{ exact_divide("weight", "scored_weight", operand_scale=10) }}
                    as decimal(14, 12)
                )
        end as proportional_weight
    from pointed

),

-- Thirds do not add up to 1 in decimals: the heaviest line takes the last digit.
weighted as (

    select
        *,
        case
            -- A line of weight 0 is shown and decides nothing, also where it is the only one that
            -- counts.
            when status != 'scored' or scored_weight = 0 then cast(0 as decimal(14, 12))
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
    definition_version,
    status,
    is_shown,
    value,
    n,
    ci_low,
    ci_high,
    threshold,
    target,
    attainment,
    weight,
    effective_weight,
    points,
    cast(coalesce(effective_weight * points, 0) as decimal(18, 12)) as contribution
from weighted
