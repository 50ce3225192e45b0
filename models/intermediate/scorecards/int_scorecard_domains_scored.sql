-- One row per subject and domain of its template: the weighted mean of the measures that count. A
-- measure without a domain is one by itself.
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

)

select
    level,
    entity_id,
    period_type,
    period_start,
    part_no,
    is_main_part,
    domain_code,
    count(*) as line_count,
    count(*) filter (where status = 'scored') as scored_line_count,
    cast(sum(weight) as decimal(12, 10)) as weight,
    cast(
        coalesce(sum(weight) filter (where status = 'scored'), 0) as decimal(12, 10)
    ) as scored_weight,
    cast(sum(effective_weight) as decimal(14, 12)) as effective_weight,
    -- Sums of whole points, where the method has them.
    cast(
        sum(method_score) filter (where scoring_method = 'achievement_or_improvement') as bigint
    ) as base_score,
    cast(
        sum(method_score) filter (where scoring_method = 'consistency') as bigint
    ) as consistency_score,
    cast(
        {{ exact_mean(
            "case when status = 'scored' then weight else 0 end",
            "coalesce(points, 0)",
            scale=14
        ) }} as decimal(24, 14)
    ) as score
from lines
group by
    level,
    entity_id,
    period_type,
    period_start,
    part_no,
    is_main_part,
    domain_code
