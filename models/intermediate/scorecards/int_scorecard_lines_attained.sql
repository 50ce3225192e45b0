-- One row per scorecard line, with its status and, where it counts, what its method makes of the
-- value: an attainment for the methods with a curve, points for the others.
{{ config(materialized="view") }}

with lines as (

    select * from {{ ref("int_scorecard_lines_measured") }}

),

judged as (

    select
        *,
        case
            when scoring_method = 'consistency' then 'scored'
            when value is null then 'no_value'
            when not is_reportable then 'not_reportable'
            when scoring_method = 'as_delivered' then 'scored'
            when scoring_method = 'achievement_or_improvement'
                then
                    case
                        when threshold is null or target is null then 'no_target' else 'scored'
                    end
            -- Nothing can be a share of a target of 0 or less: below 0 the worse would score the
            -- higher.
            when target is null or target <= 0 then 'no_target'
            -- Without peers there is nothing to shrink towards.
            when scoring_method = 'shrunken' and shrunken_value is null then 'no_value'
            else 'scored'
        end as own_status,
        case
            when scoring_method = 'shrunken'
                then {{ exact_divide("shrunken_value", "target", operand_scale=8) }}
            -- More decimals than a sum of sources has.
            when delivered_value is not null or measured_level = 'journey'
                then {{ exact_divide("value", "target", operand_scale=12) }}
            else
                {{ exact_divide("numerator * value_scale", "coalesce(denominator, 1) * target") }}
        end as value_over_target,
        -- Mirrored where less is better, so that the rules below read upwards only.
        case when direction = 'lower_is_better' then -1 else 1 end
        * coalesce(delivered_value, cast(value as decimal(28, 14))) as performance,
        case when direction = 'lower_is_better' then -1 else 1 end * floor as floor_value,
        case when direction = 'lower_is_better' then -1 else 1 end * threshold as threshold_value,
        case when direction = 'lower_is_better' then -1 else 1 end * target as benchmark_value,
        case when direction = 'lower_is_better' then -1 else 1 end * baseline as baseline_value
    from lines

),

-- The better of two counts: how far between threshold and benchmark, and how far from the own
-- baseline towards the benchmark. round_half_up(9 x + 1/2) is 1 + floor(9 x), and
-- round_half_up(10 x - 1/2) is floor(10 x): taken in whole numbers, no boundary is ever missed.
counted as (

    select
        *,
        case
            when scoring_method = 'achievement_or_improvement' and own_status = 'scored'
                then
                    case
                        when performance >= benchmark_value then 10
                        when performance < threshold_value then 0
                        else
                            1 + {{ whole_points(
                                9,
                                "performance - threshold_value",
                                "benchmark_value - threshold_value"
                            ) }}
                    end
        end as achievement_points,
        case
            when
                scoring_method = 'achievement_or_improvement'
                and own_status = 'scored'
                and baseline_value is not null
                then
                    case
                        when performance <= baseline_value then 0
                        when performance >= benchmark_value then 9
                        else
                            least(
                                9,
                                {{ whole_points(
                                    10,
                                    "performance - baseline_value",
                                    "benchmark_value - baseline_value"
                                ) }}
                            )
                    end
        end as improvement_points,
        -- floor(20 x) of the lowest x is the lowest floor(20 x).
        case
            when
                scoring_method = 'achievement_or_improvement'
                and own_status = 'scored'
                and floor_value is not null
                then
                    case
                        when performance >= threshold_value then 20
                        when performance <= floor_value then 0
                        else
                            {{ whole_points(
                                20,
                                "performance - floor_value",
                                "threshold_value - floor_value"
                            ) }}
                    end
        end as consistency_points
    from judged

),

consistent as (

    select
        *,
        min(consistency_points) over (
            partition by level, entity_id, period_type, period_start, part_no, domain_code
        ) as domain_consistency_points
    from counted

),

statused as (

    select
        *,
        case
            when scoring_method = 'consistency' and domain_consistency_points is null
                then 'no_value'
            else own_status
        end as status
    from consistent

)

select
    *,
    case
        when status != 'scored' then null
        when scoring_method in ('achievement_or_improvement', 'consistency', 'as_delivered')
            then null
        when direction = 'lower_is_better' then cast(2 - value_over_target as decimal(38, 12))
        else value_over_target
    end as attainment,
    case
        when status != 'scored' then null
        when scoring_method = 'achievement_or_improvement'
            then greatest(achievement_points, coalesce(improvement_points, 0))
        when scoring_method = 'consistency' then domain_consistency_points
    end as method_score
from statused
