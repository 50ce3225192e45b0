-- One row per subject of a scorecard: an employee's part of a period, or a store, department,
-- region or the company in a period with any result. A part is judged by the template of its role;
-- days in the role decide which part is the employee's scorecard of the period.
with parts as (

    select * from {{ ref("int_assignments_parted") }}

),

periods as (

    select * from {{ ref("int_periods_judged") }}

),

-- No day is judged, and most results are of days.
results as (

    select
        level,
        entity_id,
        period_type,
        period_start
    from {{ ref("int_kpis_estimated") }}
    where
        period_type in ('month', 'quarter')
        and level in ('company', 'region', 'store', 'department')

),

stores as (

    select
        store_id,
        region
    from {{ ref("stg_sales__stores") }}

)

select
    'employee' as level,
    employee_id as entity_id,
    job_role as subject_code,
    store_id,
    department_code,
    region,
    period_type,
    period_start,
    period_end,
    is_complete,
    part_no,
    part_start,
    part_end,
    row_number() over (
        partition by employee_id, period_type, period_start
        order by {{ days_between("part_start", "part_end") }} desc, part_no desc
    ) = 1 as is_main_part
from parts
union all
select distinct
    results.level,
    results.entity_id,
    results.entity_id as subject_code,
    case when results.level = 'store' then results.entity_id end as store_id,
    case when results.level = 'department' then results.entity_id end as department_code,
    case when results.level = 'region' then results.entity_id else stores.region end as region,
    results.period_type,
    results.period_start,
    periods.period_end,
    periods.is_complete,
    1 as part_no,
    results.period_start as part_start,
    periods.period_end as part_end,
    true as is_main_part
from results
inner join periods
    on
        results.period_type = periods.period_type
        and results.period_start = periods.period_start
left join stores
    on
        results.level = 'store'
        and results.entity_id = stores.store_id
