-- Points lie between 0 and the highest factor of their curve, or all that their method gives, and a
-- score between the least and the most points of its lines: it is their weighted mean. A
-- hundred-millionth is left for the rounding of the score.
{{ config(meta={"dagster": {"ref": {"name": "int_scorecards_totalled"}}}) }}

with highest_factors as (

    select
        curve_code,
        valid_from,
        valid_to,
        max(factor) as factor
    from {{ ref("scoring_curves") }}
    group by curve_code, valid_from, valid_to

),

lines as (

    select
        lines.level,
        lines.entity_id,
        lines.period_type,
        lines.period_start,
        lines.part_no,
        min(lines.points) as least_points,
        max(lines.points) as most_points,
        count(*) filter (
            where
            lines.points < 0
            or (
                lines.scoring_method in ('achievement_or_improvement', 'consistency')
                and lines.points > 100
            )
            or (
                lines.scoring_method in ('curve', 'shrunken')
                and (
                    lines.points > 100 * highest_factors.factor
                    or highest_factors.factor is null
                )
            )
        ) as lines_off_their_curve
    from {{ ref("int_scorecard_lines_scored") }} as lines
    left join highest_factors
        on
            lines.curve_code = highest_factors.curve_code
            and {{ in_force("highest_factors", "lines.period_start") }}
    where lines.status = 'scored'
    group by
        lines.level,
        lines.entity_id,
        lines.period_type,
        lines.period_start,
        lines.part_no

)

select
    scorecards.level,
    scorecards.entity_id,
    scorecards.period_type,
    scorecards.period_start,
    scorecards.part_no,
    scorecards.score,
    lines.least_points,
    lines.most_points,
    lines.lines_off_their_curve
from {{ ref("int_scorecards_totalled") }} as scorecards
left join lines
    on
        scorecards.level = lines.level
        and scorecards.entity_id = lines.entity_id
        and scorecards.period_type = lines.period_type
        and scorecards.period_start = lines.period_start
        and scorecards.part_no = lines.part_no
where
    lines.lines_off_their_curve > 0
    or (
        scorecards.score is not null
        and (
            lines.least_points is null
            or scorecards.score < lines.least_points - 0.00000001
            or scorecards.score > lines.most_points + 0.00000001
        )
    )
