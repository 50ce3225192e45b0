-- One row per scorecard line, with its status and, where it counts, the attainment: value over
-- target, or for a measure where less is better the mirror, 2 - value / target.
with lines as (

    select * from {{ ref("int_scorecard_lines_measured") }}

),

judged as (

    select
        *,
        case
            when value is null then 'no_value'
            when not is_reportable then 'not_reportable'
            -- Nothing can be a share of a target of 0 or less: below 0 the worse would score the
            -- higher.
            when target is null or target <= 0 then 'no_target'
            else 'scored'
        end as status,
        {{ exact_divide(
            "numerator * value_scale", "coalesce(denominator, 1) * target"
        ) }} as value_over_target
    from lines

)

select
    *,
    case
        when status != 'scored' then null
        when direction = 'lower_is_better' then cast(2 - value_over_target as decimal(38, 12))
        else value_over_target
    end as attainment
from judged
