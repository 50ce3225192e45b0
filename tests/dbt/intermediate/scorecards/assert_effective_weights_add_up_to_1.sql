-- Whatever is missing, the weights that count add up to exactly 1: nobody is judged by more or less
-- than everything. Where no weight counts they add up to nothing and there is no score.
{{ config(meta={"dagster": {"ref": {"name": "int_scorecard_lines_scored"}}}) }}

with weights as (

    select
        level,
        entity_id,
        period_type,
        period_start,
        part_no,
        coalesce(sum(weight) filter (where status = 'scored'), 0) as scored_weight,
        sum(effective_weight) as effective_weight
    from {{ ref("int_scorecard_lines_scored") }}
    group by level, entity_id, period_type, period_start, part_no

)

select
    weights.level,
    weights.entity_id,
    weights.period_type,
    weights.period_start,
    weights.part_no,
    weights.scored_weight,
    weights.effective_weight,
    scorecards.score
from weights
full outer join {{ ref("int_scorecards_totalled") }} as scorecards
    on
        weights.level = scorecards.level
        and weights.entity_id = scorecards.entity_id
        and weights.period_type = scorecards.period_type
        and weights.period_start = scorecards.period_start
        and weights.part_no = scorecards.part_no
where
    weights.effective_weight is distinct from case when weights.scored_weight > 0 then 1 else 0 end
    or (scorecards.score is not null) is distinct from (weights.scored_weight > 0)
