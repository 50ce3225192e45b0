-- One row per department and period: its share of the bad outcomes of the period, all of which are
-- the denominator; what nobody's touchpoints explain is in no department's numerator.
with shares as (

    select
        shares.department_code,
        shares.outcome_id,
        shares.share,
        days.month_start,
        days.quarter_start
    from {{ ref("int_blame_shared") }} as shares
    inner join {{ ref("int_outcomes_listed") }} as outcomes
        on shares.outcome_id = outcomes.outcome_id
    inner join {{ ref("int_days_dated") }} as days
        on outcomes.outcome_on = days.date_day

),

departments as (

    select distinct department_code from {{ ref("touchpoint_owners") }}

),

totals as (

    {% for period_type in ["month", "quarter"] %}
    select
        '{{ period_type }}' as period_type,
        {{ period_type }}_start as period_start,
        count(distinct outcome_id) as outcomes
    from shares
    group by {{ period_type }}_start
    {{ "union all" if not loop.last }}
    {% endfor %}

),

blamed as (

    {% for period_type in ["month", "quarter"] %}
    select
        '{{ period_type }}' as period_type,
        {{ period_type }}_start as period_start,
        department_code,
        sum(share) as share
    from shares
    where department_code is not null
    group by {{ period_type }}_start, department_code
    {{ "union all" if not loop.last }}
    {% endfor %}

)

select
    'blame_share' as measure_code,
    'department' as level,
    departments.department_code as entity_id,
    totals.period_type,
    totals.period_start,
    cast(coalesce(blamed.share, 0) as decimal(28, 10)) as numerator,
    cast(totals.outcomes as decimal(28, 10)) as denominator,
    cast(totals.outcomes as bigint) as n,
    cast(null as bigint) as favourable_count,
    cast(null as bigint) as unfavourable_count,
    cast(null as decimal(38, 12)) as score_sum,
    cast(0 as bigint) as excluded_count
from totals
cross join departments
left join blamed
    on
        totals.period_type = blamed.period_type
        and totals.period_start = blamed.period_start
        and departments.department_code = blamed.department_code
