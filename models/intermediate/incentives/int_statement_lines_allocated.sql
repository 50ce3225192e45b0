-- One row per line of a statement, to the cent. Measures share what the curve gave in proportion to
-- their contributions; gate, modifier and cap each show what they gave or took. The lines of a
-- statement add up to its amount.
with parts as (

    select * from {{ ref("int_plan_parts_pooled") }}

),

score_lines as (

    select * from {{ ref("int_scorecard_lines_scored") }}
    where level = 'employee'

),

measure_lines as (

    select
        parts.statement_id,
        parts.score,
        parts.curve_amount,
        parts.after_curve,
        score_lines.measure_code,
        score_lines.measured_level,
        score_lines.measured_entity_id,
        score_lines.status,
        score_lines.value,
        score_lines.n,
        score_lines.ci_low,
        score_lines.ci_high,
        score_lines.target,
        score_lines.attainment,
        score_lines.probability_above_target,
        score_lines.points,
        score_lines.weight,
        score_lines.effective_weight,
        score_lines.contribution,
        score_lines.definition_version
    from parts
    inner join score_lines
        on
            parts.employee_id = score_lines.entity_id
            and parts.period_type = score_lines.period_type
            and parts.period_start = score_lines.period_start
            and parts.part_no = score_lines.part_no
    where parts.base_type != 'delivered_revenue_share'

),

-- A curve may pay something at a score of 0; then the weights decide.
shared as (

    select
        *,
        case
            when score > 0
                then {{ exact_divide("contribution", "score", operand_scale=12) }}
            else cast(effective_weight as decimal(38, 12))
        end as line_share
    from measure_lines

),

floored as (

    select
        *,
        cast(after_curve as decimal(24, 10)) * cast(line_share as decimal(14, 12)) as exact_amount
    from shared

),

-- Largest remainder: every line gets its whole cents, and the cents left over go to the largest
-- fractions.
ranked as (

    select
        *,
        cast(floor(exact_amount * 100) as decimal(18, 0)) as whole_cents,
        row_number() over (
            partition by statement_id
            order by exact_amount * 100 - floor(exact_amount * 100) desc, measure_code
        ) as remainder_rank
    from floored

),

allocated as (

    select
        *,
        cast(
            (
                whole_cents
                + case
                    when
                        remainder_rank
                        <= curve_amount * 100 - sum(whole_cents) over (partition by statement_id)
                        then 1
                    else 0
                end
            ) * 0.01 as decimal(18, 2)
        ) as amount
    from ranked

),

measure_rows as (

    select
        statement_id,
        concat('1|', measure_code) as line_key,
        'measure' as line_type,
        measure_code,
        measured_level,
        measured_entity_id,
        status,
        value,
        n,
        ci_low,
        ci_high,
        target,
        attainment,
        probability_above_target,
        points,
        weight,
        effective_weight,
        definition_version,
        -- Without a score no measure earned anything; what the curve gives all the same has a line
        -- of its own.
        case when score is null then cast(0 as decimal(18, 2)) else amount end as amount
    from allocated

),

rule_rows as (

    {% set rules = [
        (
            "2|commission",
            "commission",
            "base_type = 'delivered_revenue_share'",
            "cast(curve_amount - segment_amount - minimum_amount as decimal(18, 2))",
        ),
        ("2|segment", "segment", "segment_amount != 0", "segment_amount"),
        ("2|sale_minimum", "sale_minimum", "minimum_amount != 0", "minimum_amount"),
        (
            "3|unscored",
            "unscored",
            "base_type != 'delivered_revenue_share' and score is null and curve_amount != 0",
            "curve_amount",
        ),
        ("4|gate", "gate", "gate_measure_code is not null", "gate_amount"),
        ("5|modifier", "modifier", "modifier_code is not null", "modifier_amount"),
        ("6|cap", "cap", "cap_amount != 0", "cap_amount"),
        ("7|pool", "pool", "pool_amount is not null", "pool_change"),
    ] %}
    {% for line_key, line_type, condition, amount in rules %}
    select
        statement_id,
        '{{ line_key }}' as line_key,
        '{{ line_type }}' as line_type,
        case '{{ line_type }}'
            when 'commission' then 'revenue'
            when 'gate' then gate_measure_code
        end as measure_code,
        case '{{ line_type }}'
            when 'commission' then 'employee'
            when 'gate' then gate_level
        end as measured_level,
        case '{{ line_type }}'
            when 'commission' then employee_id
            when 'gate' then gate_entity_id
        end as measured_entity_id,
        case '{{ line_type }}'
            when 'gate' then gate_status
            when 'unscored' then 'no_score'
            else 'applied'
        end as status,
        cast(
            case '{{ line_type }}'
                when 'commission' then part_revenue
                when 'gate' then gate_value
                when 'modifier' then multiplier
                when 'cap' then cap_factor
                when 'sale_minimum' then minimum_per_sale
                when 'pool' then pool_amount
            end as decimal(38, 12)
        ) as value,
        case when '{{ line_type }}' = 'gate' then gate_n end as n,
        case when '{{ line_type }}' = 'gate' then gate_ci_low end as ci_low,
        case when '{{ line_type }}' = 'gate' then gate_ci_high end as ci_high,
        case when '{{ line_type }}' = 'gate' then gate_minimum end as target,
        case when '{{ line_type }}' = 'commission' then cast(delivered_value as decimal(38, 12)) end
            as attainment,
        cast(null as decimal(8, 6)) as probability_above_target,
        cast(null as decimal(24, 14)) as points,
        cast(null as decimal(12, 10)) as weight,
        cast(null as decimal(14, 12)) as effective_weight,
        cast(null as {{ dbt.type_string() }}) as definition_version,
        {{ amount }} as amount
    from parts
    where {{ condition }}
    {{ "union all" if not loop.last }}
    {% endfor %}

)

select * from measure_rows
union all
select * from rule_rows
