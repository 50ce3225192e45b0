-- One row per subject: the score, 100 meaning every measure at its target. Without any weight that
-- counts there is no score: null, not zero.
{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key=["period_type", "period_start"],
    on_schema_change="sync_all_columns",
) }}

with periods as (

    select * from {{ ref("int_periods_judged") }}

),

lines as (

    select lines.*
    from {{ ref("int_scorecard_lines_scored") }} as lines
    inner join periods
        on
            lines.period_type = periods.period_type
            and lines.period_start = periods.period_start

),

domains as (

    select domains.*
    from {{ ref("int_scorecard_domains_scored") }} as domains
    inner join periods
        on
            domains.period_type = periods.period_type
            and domains.period_start = periods.period_start

),

counted as (

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
        count(*) as line_count,
        count(*) filter (where status = 'scored') as scored_line_count,
        cast(
            coalesce(sum(weight) filter (where status != 'scored'), 0) as decimal(12, 10)
        ) as spread_weight
    from lines
    group by
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
        is_main_part

),

-- The mean is taken of the weights as the template has them, not of rounded ones: 3/7 of 140 points
-- are 60, not a hair below it, under the point of a curve where pay begins.
scored as (

    select
        level,
        entity_id,
        period_type,
        period_start,
        part_no,
        cast(
            {{ exact_mean(
                "case when scored_weight > 0 then weight else 0 end", "coalesce(score, 0)"
            ) }} as decimal(18, 12)
        ) as score
    from domains
    group by level, entity_id, period_type, period_start, part_no

)

select
    counted.*,
    scored.score
from counted
inner join scored
    on
        counted.level = scored.level
        and counted.entity_id = scored.entity_id
        and counted.period_type = scored.period_type
        and counted.period_start = scored.period_start
        and counted.part_no = scored.part_no
