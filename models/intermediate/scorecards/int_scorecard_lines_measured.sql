-- One row per subject and measure of its template, with the result it is judged by: its own, or
-- that of the store, department, region or company it belonged to.
with subjects as (

    select * from {{ ref("int_scorecard_subjects_listed") }}

),

templates as (

    select * from {{ ref("scorecard_templates") }}

),

periods as (

    select distinct
        period_type,
        period_start
    from subjects

),

-- Results are of all periods there ever were, most of them of days, subjects of the few months and
-- quarters that are judged. By kind, the engine knows between which days it need not look.
results as (

    {% for period_type in ["month", "quarter"] %}
    select valued.*
    from {{ ref("int_kpis_valued") }} as valued
    inner join periods
        on valued.period_start = periods.period_start
    where valued.period_type = '{{ period_type }}' and periods.period_type = '{{ period_type }}'
    {{ "union all" if not loop.last }}
    {% endfor %}

),

shrunken as (

    select * from {{ ref("int_kpis_shrunken") }}

),

measures as (

    select * from {{ ref("measures") }}

),

-- A template for the very entity replaces the one for all of its level.
chosen as (

    select
        subjects.*,
        templates.subject_code as template_code,
        templates.measure_code,
        templates.weight,
        templates.measured_at,
        templates.scoring_method,
        templates.curve_code,
        coalesce(templates.domain_code, templates.measure_code) as domain_code,
        templates.minimum_probability
    from subjects
    inner join templates
        on
            subjects.level = templates.subject_type
            and templates.subject_code in (subjects.subject_code, '*')
            and subjects.period_type = templates.period_type
            and {{ in_force("templates", "subjects.period_start") }}
    qualify
        rank() over (
            partition by
                subjects.level,
                subjects.entity_id,
                subjects.period_type,
                subjects.period_start,
                subjects.part_no
            order by case when templates.subject_code = '*' then 1 else 0 end
        ) = 1

),

located as (

    select
        *,
        case when measured_at = 'own' then level else measured_at end as measured_level,
        case
            when measured_at = 'own' then entity_id
            when measured_at = 'team' and level = 'employee' then entity_id
            when measured_at = 'store' then store_id
            when measured_at in ('department', 'journey') then department_code
            when measured_at = 'region' then region
            when measured_at = 'company' then 'company'
        end as measured_entity_id
    from chosen

)

select
    located.*,
    results.value,
    results.numerator,
    results.denominator,
    results.value_scale,
    results.n,
    results.ci_low,
    results.ci_high,
    results.is_reportable,
    results.is_shown,
    coalesce(results.direction, measures.direction) as direction,
    results.delivered_value,
    results.baseline,
    results.floor,
    results.threshold,
    results.target,
    -- Estimates become decimals once, here, before they reach points and pay.
    cast(shrunken.shrunken_value as decimal(18, 8)) as shrunken_value,
    cast(
        case
            when coalesce(results.direction, measures.direction) = 'lower_is_better'
                then
                    1 - {{ probability_above(
                        "shrunken.shrunken_value", "shrunken.shrunken_sd", "results.target"
                    ) }}
            else {{ probability_above(
                "shrunken.shrunken_value", "shrunken.shrunken_sd", "results.target"
            ) }}
        end as decimal(8, 6)
    ) as probability_above_target,
    coalesce(results.definition_version, measures.definition_version) as definition_version
from located
left join results
    on
        located.measure_code = results.measure_code
        and located.measured_level = results.level
        and located.measured_entity_id = results.entity_id
        and located.period_type = results.period_type
        and located.period_start = results.period_start
left join shrunken
    on
        -- Beside the keys a condition on one side alone would compare every row with every other.
        case when located.scoring_method = 'shrunken' then located.measure_code end
        = shrunken.measure_code
        and located.measured_level = shrunken.level
        and located.measured_entity_id = shrunken.entity_id
        and located.period_type = shrunken.period_type
        and located.period_start = shrunken.period_start
left join measures
    on
        located.measure_code = measures.measure_code
        and {{ in_force("measures", "located.period_start") }}
