-- One row per subject: the score, 100 meaning every measure at its target. Without any weight that
-- counts there is no score: null, not zero.
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
    ) as spread_weight,
    -- Weights are carried at 12 decimals: 3/7 of 140 points are 60 and stand a hair below it, under
    -- the point of a curve where pay begins. Rounding at 8 decimals puts the score back on the
    -- point.
    case
        when sum(effective_weight) > 0
            then cast(cast(sum(contribution) as decimal(18, 8)) as decimal(18, 12))
    end as score
from {{ ref("int_scorecard_lines_scored") }}
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
