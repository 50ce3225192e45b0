-- Targets and mystery shopping, once all months are known. A store's target is its average trading
-- day times the open days of the month, the chain's season and an ambition; an associate's is the
-- share of the store's till sales that falls to the days and hours worked, whatever the talent.
-- Amounts are whole cents before they are added up, so that no order of adding shows.
create temp table target_rows as
with store_days as (
    select m.month, s.store_no, count(*) as open_days
    from (select distinct month from revenue_by_store) as m
    inner join days as d on date_trunc('month', d.day) = m.month
    inner join stores as s on d.day >= s.opened_on and (s.closed_on is null or d.day < s.closed_on)
    group by m.month, s.store_no
),

chain_months as (
    select r.month, sum(r.cents)::double / max(n.days) as cents_a_day
    from revenue_by_store as r
    inner join (select date_trunc('month', day) as month, count(*) as days from days group by 1) as n
        on n.month = r.month
    group by r.month
),

chain as (
    select sum(cents)::double / (select count(*) from days) as cents_a_day from revenue_by_store
),

store_totals as (
    select
        r.store_no,
        sum(r.cents)::double / max(d.days) as cents_a_day,
        sum(r.till_cents)::double / max(d.days) as till_cents_a_day,
    from revenue_by_store as r
    inner join (select store_no, sum(open_days)::double as days from store_days group by store_no) as d
        on d.store_no = r.store_no
    group by r.store_no
),

store_plans as (
    select
        d.month,
        d.store_no,
        floor(t.cents_a_day * d.open_days * m.cents_a_day / c.cents_a_day)::bigint as plan_cents,
        floor(t.till_cents_a_day * d.open_days * m.cents_a_day / c.cents_a_day)::bigint as till_plan_cents,
        draw('store target', d.month || '/' || d.store_no) as bits,
    from store_days as d
    inner join store_totals as t on t.store_no = d.store_no
    inner join chain_months as m on m.month = d.month
    cross join chain as c
),

worked as (
    select w.month, w.store_no, w.employee_no, (1000 * w.weight // e.skill)::bigint as hours
    from selling_days as w
    inner join employees as e on e.employee_no = w.employee_no
),

store_hours as (
    select month, store_no, sum(hours) as hours from worked group by month, store_no
),

employee_plans as (
    select
        w.month,
        w.employee_no,
        sum(floor(p.till_plan_cents * w.hours::double / h.hours)::bigint) as plan_cents,
        draw('employee target', w.month || '/' || w.employee_no) as bits,
    from worked as w
    inner join store_hours as h on h.month = w.month and h.store_no = w.store_no
    inner join store_plans as p on p.month = w.month and p.store_no = w.store_no
    group by w.month, w.employee_no
),

plans as (
    select p.month, 'store' as level, s.store_id as entity_id, p.plan_cents * (0.92 + 0.2 * unit(p.bits, 0)) as cents
    from store_plans as p
    inner join stores as s on s.store_no = p.store_no
    union all
    select p.month, 'employee', e.employee_id, p.plan_cents * (0.9 + 0.2 * unit(p.bits, 0))
    from employee_plans as p
    inner join employees as e on e.employee_no = p.employee_no
)

select
    'revenue' as measure_code,
    level,
    entity_id,
    month::date as period_start,
    greatest(100, 100 * round(cents / 10000))::decimal(18, 2) as target,
    (0.8 * greatest(100, 100 * round(cents / 10000)))::decimal(18, 2) as threshold,
    (1.2 * greatest(100, 100 * round(cents / 10000)))::decimal(18, 2) as stretch,
from plans;

create temp table measure_value_rows as
with shopped as (
    select
        s.store_id,
        m.month,
        76 + 25 * s.effect + if(m.month >= s.rollout_on, 5, 0)
        + 5 * normal(draw('mystery', m.month || '/' || s.store_id)) as value,
        4 + pick(unit(draw('mystery n', m.month || '/' || s.store_id), 0), 5) as n,
        76 + 25 * s.effect + 2 * normal(draw('mystery baseline', s.store_id)) as baseline,
    from (select distinct date_trunc('month', day)::date as month from days) as m
    inner join stores as s on s.opened_on <= m.month and (s.closed_on is null or s.closed_on > m.month)
)

select
    'mystery_shopping' as measure_code,
    'store' as level,
    store_id as entity_id,
    month as period_start,
    round(greatest(0, least(100, value)), 1)::decimal(18, 1) as value,
    n,
    40.0 as floor,
    60.0 as threshold,
    95.0 as benchmark,
    round(greatest(0, least(94, baseline)), 1)::decimal(18, 1) as baseline,
from shopped;
