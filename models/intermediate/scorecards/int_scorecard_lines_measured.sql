-- One row per subject and measure of its template, with the result it is judged by: its own, or
-- that of the store, department, region or company it belonged to.
with subjects as (

    select * from {{ ref("int_scorecard_subjects_listed") }}

),

templates as (

    select * from {{ ref("scorecard_templates") }}

),

results as (

    select * from {{ ref("int_kpis_valued") }}

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
        templates.curve_code
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
            when measured_at = 'store' then store_id
            when measured_at = 'department' then department_code
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
    results.direction,
    results.threshold,
    results.target,
    results.definition_version
from located
left join results
    on
        located.measure_code = results.measure_code
        and located.measured_level = results.level
        and located.measured_entity_id = results.entity_id
        and located.period_type = results.period_type
        and located.period_start = results.period_start
