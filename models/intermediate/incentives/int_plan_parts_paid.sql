-- One row per plan part: gross x curve(score) x gate x modifiers, capped. Each step keeps what it
-- left, so that the statement can show what every rule gave or took.
with parts as (

    select * from {{ ref("int_plan_parts_based") }}

),

scores as (

    select * from {{ ref("int_scorecards_totalled") }}
    where level = 'employee'

),

segments as (

    select * from {{ ref("int_curve_segments_bounded") }}

),

results as (

    select * from {{ ref("int_kpis_valued") }}

),

part_modifiers as (

    select * from {{ ref("int_plan_modifiers_matched") }}
    where is_applied

),

scored as (

    select
        parts.*,
        scores.score,
        scores.spread_weight,
        coalesce(
            cast({{ exact_divide("scores.score", "100", operand_scale=12) }} as decimal(18, 12)), 0
        ) as score_ratio,
        case
            when parts.gate_measured_at = 'own' then 'employee'
            else parts.gate_measured_at
        end as gate_level,
        case parts.gate_measured_at
            when 'own' then parts.employee_id
            when 'store' then parts.store_id
            when 'department' then parts.department_code
            when 'region' then parts.region
            when 'company' then 'company'
        end as gate_entity_id
    from parts
    left join scores
        on
            parts.employee_id = scores.entity_id
            and parts.period_type = scores.period_type
            and parts.period_start = scores.period_start
            and parts.part_no = scores.part_no

),

gated as (

    select
        scored.*,
        {{ curve_factor("segments", "scored.score_ratio") }} as payout_factor,
        results.value as gate_value,
        results.n as gate_n,
        results.ci_low as gate_ci_low,
        results.ci_high as gate_ci_high,
        -- A gate that cannot be measured stays open: nobody loses pay to a sample that is too
        -- small.
        case
            when scored.gate_measure_code is null then 'no_gate'
            when results.value is null or not results.is_reportable then 'not_measured'
            when
                results.direction = 'higher_is_better' and results.value < scored.gate_minimum
                then 'shut'
            when
                results.direction = 'lower_is_better' and results.value > scored.gate_minimum
                then 'shut'
            else 'open'
        end as gate_status,
        part_modifiers.modifier_code,
        coalesce(part_modifiers.multiplier, 1) as multiplier
    from scored
    left join segments
        on {{ on_curve_segment(
            "segments", "scored.score_curve_code", "scored.score_ratio", "scored.period_start"
        ) }}
    left join results
        on
            scored.gate_measure_code = results.measure_code
            and scored.gate_level = results.level
            and scored.gate_entity_id = results.entity_id
            and scored.period_type = results.period_type
            and scored.period_start = results.period_start
    left join part_modifiers
        on
            scored.employee_id = part_modifiers.employee_id
            and scored.plan_code = part_modifiers.plan_code
            and scored.period_start = part_modifiers.period_start
            and scored.part_no = part_modifiers.part_no

),

earned as (

    select
        *,
        cast(gross_amount * payout_factor as decimal(28, 10)) as after_curve
    from gated

),

after_gates as (

    select
        *,
        cast(
            case
                when gate_status != 'shut' then after_curve
                -- No bonus above a part of the base, or a part of the bonus.
                when gate_effect = 'limit' then least(after_curve, gross_amount * gate_factor)
                else after_curve * gate_factor
            end as decimal(28, 10)
        ) as after_gate
    from earned

),

modified as (

    select
        *,
        cast(after_gate * multiplier as decimal(28, 10)) as after_modifier
    from after_gates

),

capped as (

    select
        *,
        cast(
            least(after_modifier, cast(gross_amount * cap_factor as decimal(28, 10)))
            as decimal(28, 10)
        ) as after_cap
    from modified

)

select
    *,
    concat(
        employee_id, '|', plan_code, '|', cast(period_start as {{ dbt.type_string() }}), '|',
        cast(part_no as {{ dbt.type_string() }})
    ) as statement_id,
    -- What a unit of the base came to before the cap: a return takes back by it.
    case
        when gross_amount > 0
            then cast({{ exact_divide("after_modifier", "gross_amount", 10) }} as decimal(18, 12))
        else cast(0 as decimal(18, 12))
    end as paid_factor,
    case
        when gross_amount > 0 then {{ to_cents("coalesce(segment_extra, 0) * payout_factor") }}
        else cast(0 as decimal(18, 2))
    end as segment_amount,
    case
        when gross_amount > 0 then {{ to_cents("coalesce(minimum_extra, 0) * payout_factor") }}
        else cast(0 as decimal(18, 2))
    end as minimum_amount,
    {{ to_cents("after_curve") }} as curve_amount,
    {{ to_cents("after_gate") }} - {{ to_cents("after_curve") }} as gate_amount,
    {{ to_cents("after_modifier") }} - {{ to_cents("after_gate") }} as modifier_amount,
    {{ to_cents("after_cap") }} - {{ to_cents("after_modifier") }} as cap_amount,
    {{ to_cents("after_cap") }} as claim_amount
from capped
