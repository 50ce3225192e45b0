-- One row per person in a role with a promotion rule, next role and criterion: what is asked, what
-- was found, and whether it is met. Judged are the last complete months before `as_of`.
with rules as (

    select * from {{ ref("promotion_rules") }}

),

night as (

    select as_of from {{ source("control", "night") }}

),

assignments as (

    select * from {{ ref("int_assignments_bounded") }}

),

scorecards as (

    select * from {{ ref("int_scorecards_totalled") }}
    where level = 'employee' and period_type = 'month' and is_main_part

),

results as (

    select * from {{ ref("int_kpis_valued") }}
    where measure_code = 'csat' and level = 'employee' and period_type = 'month'

),

measures as (

    select * from {{ ref("measures") }}
    where measure_code = 'csat'

),

months as (

    select
        period_start,
        period_end,
        row_number() over (order by period_start desc) as months_ago
    from {{ ref("int_periods_listed") }}
    where period_type = 'month' and is_complete

),

-- A run of assignments in one role without a gap is one time in the role, whatever the store.
holders as (

    select
        assignments.employee_id,
        assignments.job_role,
        rules.next_job_role,
        rules.minimum_score,
        rules.periods,
        rules.minimum_tenure_months,
        rules.minimum_csat,
        night.as_of
    from assignments
    cross join night
    inner join rules
        on
            assignments.job_role = rules.job_role
            and {{ in_force("rules", "night.as_of") }}
    where {{ in_force("assignments", "night.as_of") }}

),

runs as (

    select
        employee_id,
        job_role,
        valid_from,
        valid_to,
        case
            when
                lag(valid_to) over (partition by employee_id, job_role order by valid_from)
                = valid_from
                then 0
            else 1
        end as starts_run
    from assignments

),

numbered_runs as (

    select
        *,
        sum(starts_run) over (
            partition by employee_id, job_role
            order by valid_from
            rows between unbounded preceding and current row
        ) as run_no
    from runs

),

tenures as (

    select
        employee_id,
        job_role,
        run_no,
        min(valid_from) as held_from,
        max(valid_to) as held_to
    from numbered_runs
    group by employee_id, job_role, run_no

),

scores as (

    select
        holders.employee_id,
        holders.next_job_role,
        count(*) filter (where scorecards.score is not null) as scored_months,
        count(*) filter (where scorecards.score >= holders.minimum_score) as met_months,
        min(scorecards.score) as lowest_score
    from holders
    inner join months
        on holders.periods >= months.months_ago
    left join scorecards
        on
            holders.employee_id = scorecards.entity_id
            and holders.job_role = scorecards.subject_code
            and months.period_start = scorecards.period_start
    group by holders.employee_id, holders.next_job_role

),

satisfaction as (

    select
        holders.employee_id,
        holders.next_job_role,
        sum(results.numerator) as numerator,
        sum(results.denominator) as denominator,
        sum(results.n) as n
    from holders
    inner join months
        on holders.periods >= months.months_ago
    inner join results
        on
            holders.employee_id = results.entity_id
            and months.period_start = results.period_start
    group by holders.employee_id, holders.next_job_role

),

observed as (

    select
        holders.*,
        cast(coalesce(scores.met_months, 0) as integer) as met_months,
        scores.lowest_score,
        {{ dbt.datediff("tenures.held_from", "holders.as_of", "month") }}
        - case
            when
                {{ dbt.dateadd(
                    "month",
                    dbt.datediff("tenures.held_from", "holders.as_of", "month"),
                    "tenures.held_from"
                ) }} > holders.as_of
                then 1
            else 0
        end as tenure_months,
        coalesce(satisfaction.n, 0) as csat_n,
        {{ exact_divide("satisfaction.numerator", "satisfaction.denominator") }} as csat,
        measures.minimum_n
    from holders
    inner join tenures
        on
            holders.employee_id = tenures.employee_id
            and holders.job_role = tenures.job_role
            and holders.as_of >= tenures.held_from
            and holders.as_of < tenures.held_to
    left join scores
        on
            holders.employee_id = scores.employee_id
            and holders.next_job_role = scores.next_job_role
    left join satisfaction
        on
            holders.employee_id = satisfaction.employee_id
            and holders.next_job_role = satisfaction.next_job_role
    left join measures
        on {{ in_force("measures", "holders.as_of") }}

),

criteria as (

    select
        employee_id,
        job_role,
        next_job_role,
        as_of,
        1 as criterion_no,
        'score' as criterion,
        cast(minimum_score as decimal(18, 4)) as required_value,
        cast(lowest_score as decimal(18, 4)) as observed_value,
        met_months >= periods as is_met,
        concat(
            cast(met_months as {{ dbt.type_string() }}), ' of the last ',
            cast(periods as {{ dbt.type_string() }}), ' complete months with a score of at least ',
            cast(minimum_score as {{ dbt.type_string() }})
        ) as explanation
    from observed
    union all
    select
        employee_id,
        job_role,
        next_job_role,
        as_of,
        2 as criterion_no,
        'tenure' as criterion,
        cast(minimum_tenure_months as decimal(18, 4)) as required_value,
        cast(tenure_months as decimal(18, 4)) as observed_value,
        tenure_months >= minimum_tenure_months as is_met,
        concat(
            cast(tenure_months as {{ dbt.type_string() }}), ' whole months in the role, ',
            cast(minimum_tenure_months as {{ dbt.type_string() }}), ' are needed'
        ) as explanation
    from observed
    union all
    -- Who has too few answers is not known to satisfy customers.
    select
        employee_id,
        job_role,
        next_job_role,
        as_of,
        3 as criterion_no,
        'csat' as criterion,
        cast(minimum_csat as decimal(18, 4)) as required_value,
        cast(csat as decimal(18, 4)) as observed_value,
        coalesce(csat_n >= coalesce(minimum_n, 0) and csat >= minimum_csat, false) as is_met,
        case
            when csat_n < coalesce(minimum_n, 0)
                then concat(
                    cast(csat_n as {{ dbt.type_string() }}), ' answers in these months, ',
                    cast(minimum_n as {{ dbt.type_string() }}), ' are needed to judge'
                )
            else concat(
                'satisfied answers over these months, n = ',
                cast(csat_n as {{ dbt.type_string() }})
            )
        end as explanation
    from observed

)

select
    *,
    min(case when is_met then 1 else 0 end) over (
        partition by employee_id, next_job_role
    ) = 1 as is_candidate
from criteria
