-- One row per measure, period and who shares it: a manager's team (level team) and a department by
-- the touchpoints it owns (level journey).
with counts as (

    select * from {{ ref("int_kpis_counted_daily") }}

),

spans as (

    select * from {{ ref("int_managers_spanned") }}

),

answers as (

    select * from {{ ref("int_answers_scored") }}
    where measure_code is not null and touchpoint_code is not null

),

owners as (

    select * from {{ ref("touchpoint_owners") }}

),

measures as (

    select * from {{ ref("measures") }}

),

days as (

    select * from {{ ref("int_days_dated") }}

),

-- Nobody is judged by a level that no template names.
measured_levels as (

    select distinct
        measured_at as level,
        measure_code
    from {{ ref("scorecard_templates") }}
    where measured_at in ('team', 'journey')

),

team_counts as (

    select
        counts.measure_code,
        'team' as level,
        spans.manager_id as entity_id,
        counts.date_day,
        counts.numerator,
        counts.denominator,
        counts.n,
        counts.favourable_count,
        counts.unfavourable_count,
        counts.score_sum,
        counts.excluded_count
    from counts
    inner join measured_levels
        on counts.measure_code = measured_levels.measure_code and measured_levels.level = 'team'
    inner join spans
        on
            counts.employee_id = spans.employee_id
            and {{ in_force("spans", "counts.date_day") }}

),

-- An answer at a touchpoint with two owners is an answer about both, each with its share: the
-- shares of one answer add up to 1, so that the departments together have every answer once.
journey_counts as (

    select
        answers.measure_code,
        'journey' as level,
        owners.department_code as entity_id,
        answers.submitted_on as date_day,
        owners.share * case
            when answers.exclusion_reason is not null then 0
            when measures.unit = 'points'
                then
                    case when answers.is_top_box then 1 else 0 end
                    - case when answers.is_bottom_box then 1 else 0 end
            when answers.is_top_box then 1
            else 0
        end as numerator,
        case when answers.exclusion_reason is null then owners.share else 0 end as denominator,
        case when answers.exclusion_reason is null then 1 else 0 end as n,
        case
            when answers.exclusion_reason is null and answers.is_top_box then 1 else 0
        end as favourable_count,
        case
            when answers.exclusion_reason is null and answers.is_bottom_box then 1 else 0
        end as unfavourable_count,
        case when answers.exclusion_reason is null then answers.normalised_score end as score_sum,
        case when answers.exclusion_reason is not null then 1 else 0 end as excluded_count
    from answers
    inner join measured_levels
        on
            answers.measure_code = measured_levels.measure_code
            and measured_levels.level = 'journey'
    inner join measures
        on
            answers.measure_code = measures.measure_code
            and {{ in_force("measures", "answers.submitted_on") }}
    inner join owners
        on
            answers.touchpoint_code = owners.touchpoint_code
            and {{ in_force("owners", "answers.submitted_on") }}

),

unioned as (

    select * from team_counts
    union all
    select * from journey_counts

),

counts_by_period as (

    {% for period_type in ["month", "quarter"] %}
    select
        unioned.*,
        '{{ period_type }}' as period_type,
        days.{{ period_type }}_start as period_start
    from unioned
    inner join days
        on unioned.date_day = days.date_day
    {{ "union all" if not loop.last }}
    {% endfor %}

)

select
    measure_code,
    level,
    entity_id,
    period_type,
    period_start,
    cast(sum(numerator) as decimal(28, 10)) as numerator,
    cast(sum(denominator) as decimal(28, 10)) as denominator,
    cast(sum(n) as bigint) as n,
    cast(sum(favourable_count) as bigint) as favourable_count,
    cast(sum(unfavourable_count) as bigint) as unfavourable_count,
    cast(sum(score_sum) as decimal(38, 12)) as score_sum,
    cast(sum(excluded_count) as bigint) as excluded_count
from counts_by_period
group by measure_code, level, entity_id, period_type, period_start
