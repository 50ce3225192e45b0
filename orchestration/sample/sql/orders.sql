-- One month's orders. Needs the variables month_start, month_end, anonymous_orders and
-- anonymous_days.

-- Who sells in which store; nobody works while on leave.
create or replace temp table store_roster as
select
    a.store_no,
    d.day,
    a.employee_no,
    (row_number() over (partition by a.store_no, d.day order by a.employee_no, w.copy) - 1)::integer as seat,
from assignments as a
inner join days as d
    on d.day >= a.valid_from and (a.valid_to is null or d.day < a.valid_to)
    and d.day >= getvariable('month_start') and d.day < getvariable('month_end')
inner join weight_copies as w on w.copy < a.selling_weight
left join leave as l on l.employee_no = a.employee_no and d.day >= l.starts_on and d.day < l.ends_on
where a.job_role = 'sales_associate' and l.leave_id is null;

create or replace temp table store_roster_counts as
select store_no, day, count(*) as seats from store_roster group by store_no, day;

insert into selling_days
select getvariable('month_start'), store_no, employee_no, count(*) from store_roster group by store_no, employee_no;

-- Who of the back office is at work, by role and region, as far ahead as this month's deliveries
-- and tickets reach.
create or replace temp table region_roster as
select
    a.job_role,
    a.region_no,
    d.day,
    a.employee_no,
    (row_number() over (partition by a.job_role, a.region_no, d.day order by a.employee_no) - 1)::integer as seat,
from assignments as a
inner join days as d
    on d.day >= a.valid_from and (a.valid_to is null or d.day < a.valid_to)
    and d.day >= getvariable('month_start') and d.day < getvariable('month_end') + 40
left join leave as l on l.employee_no = a.employee_no and d.day >= l.starts_on and d.day < l.ends_on
where a.job_role in ('service_agent', 'delivery_crew', 'online_advisor') and l.leave_id is null;

create or replace temp table region_roster_counts as
select job_role, region_no, day, count(*) as seats from region_roster group by job_role, region_no, day;

create or replace temp table order_seeds as
select
    'm' || customer_no || '.' || order_seq as order_key, customer_no, getvariable('first_day') + day as ordered_on,
    drops_out,
from member_orders
where getvariable('first_day') + day >= getvariable('month_start')
    and getvariable('first_day') + day < getvariable('month_end')
union all
select
    order_key,
    null,
    getvariable('anonymous_days')[
        1 + pick(unit32(draw('anonymous', order_key), 0), len(getvariable('anonymous_days')))
    ],
    null,
from (
    select 'a' || strftime(getvariable('month_start'), '%Y%m') || '.' || i as order_key
    from range(getvariable('anonymous_orders')) as r(i)
);

create or replace temp table orders as
with drawn as (
    select
        o.*,
        c.region_no as home_region_no,
        c.home_store_no,
        draw('order', o.order_key) as bits,
        draw('order store', o.order_key) as store_bits,
        draw('order people', o.order_key) as people_bits,
        draw('order delivery', o.order_key) as delivery_bits,
        draw('amount a', o.order_key) as amount_bits_a,
        draw('amount b', o.order_key) as amount_bits_b,
        case when o.customer_no is null then draw('scale a', o.order_key) end as scale_bits_a,
        case when o.customer_no is null then draw('scale b', o.order_key) end as scale_bits_b,
        c.spend_scale as member_scale,
    from order_seeds as o
    left join customers as c on c.customer_no = o.customer_no
),

placed as (
    select
        d.*,
        order_is_online(d.bits) as is_online,
        at_second(d.ordered_on, order_second(d.bits)) as ordered_at,
        if(d.home_store_no is not null and unit(d.store_bits, 2) < 0.8, d.home_store_no, seat.store_no)
            as wanted_store_no,
        greatest(
            1500,
            round(
                100 * coalesce(d.member_scale, getvariable('spend_v') / gamma6(d.scale_bits_a, d.scale_bits_b))
                * gamma6(d.amount_bits_a, d.amount_bits_b)
            )
        )::bigint as total_cents,
    from drawn as d
    inner join store_seats as seat
        on seat.region_no = coalesce(d.home_region_no, -1)
        and seat.seat = pick(unit32(d.store_bits, 0), getvariable('seat_counts')[coalesce(d.home_region_no, -1) + 2])
),

-- Who wants to buy in a store that does not trade on the day goes to the hub of the region.
traded as (
    select
        p.* exclude (wanted_store_no),
        s.region_no,
        case
            when p.ordered_on >= s.opened_on and (s.closed_on is null or p.ordered_on < s.closed_on) then s.store_no
            else s.region_no + 1
        end as store_no,
        p.is_online or (p.total_cents > 80000 and unit(p.delivery_bits, 0) < 0.6) as is_delivered,
        unit(p.delivery_bits, 1) < case
            when p.drops_out then getvariable('bad_delivery_if_dropping') else getvariable('bad_delivery_otherwise')
        end as is_bad_if_delivered,
        -- Null where no advisor helped: as a condition of the join it would make the join compare
        -- every pair.
        case when p.is_online and unit(p.people_bits, 2) < 0.4 then s.region_no end as advised_region_no,
    from placed as p
    inner join stores as s on s.store_no = p.wanted_store_no
),

staffed as (
    select
        t.*,
        if(t.is_online, advisor.employee_no, associate.employee_no) as employee_no,
        -- In a few orders a colleague sells the lines after the first.
        case when not t.is_online and unit(t.people_bits, 3) < 0.04 then colleague.employee_no end as colleague_no,
    from traded as t
    left join store_roster_counts as n on n.store_no = t.store_no and n.day = t.ordered_on
    left join store_roster as associate
        on associate.store_no = t.store_no and associate.day = t.ordered_on
        and associate.seat = pick(unit(t.people_bits, 0), n.seats)
    left join store_roster as colleague
        on colleague.store_no = t.store_no and colleague.day = t.ordered_on
        and colleague.seat = pick(unit(t.people_bits, 1), n.seats)
    left join region_roster_counts as m
        on m.job_role = 'online_advisor' and m.region_no = t.advised_region_no and m.day = t.ordered_on
    left join region_roster as advisor
        on advisor.job_role = 'online_advisor' and advisor.region_no = t.advised_region_no
        and advisor.day = t.ordered_on and advisor.seat = pick(unit(t.people_bits, 0), m.seats)
)

select
    'O' || strftime(ordered_on, '%y%m%d') || lpad(
        (row_number() over (partition by ordered_on order by ordered_at, order_key))::varchar, 6, '0'
    ) as order_id,
    ordered_on,
    ordered_at,
    customer_no,
    drops_out,
    store_no,
    region_no,
    is_online,
    employee_no,
    coalesce(colleague_no, employee_no) as colleague_no,
    total_cents,
    1 + (unit(store_bits, 3) > 0.28)::integer + (unit(store_bits, 3) > 0.57)::integer
    + (unit(store_bits, 3) > 0.78)::integer + (unit(store_bits, 3) > 0.90)::integer
    + (unit(store_bits, 3) > 0.97)::integer as line_count,
    is_delivered,
    is_delivered and is_bad_if_delivered as is_bad,
    case
        when is_delivered then at_second(
            ordered_on + 1 + pick(unit(delivery_bits, 2), 3)
            + if(is_bad_if_delivered, 2 + pick(unit(people_bits, 3), 4), 0),
            32400 + unit(delivery_bits, 3) * 36000
        )
    end as delivered_at,
from staffed;

insert into deliveries
select customer_no, ordered_on, is_bad, drops_out from orders where is_delivered and customer_no is not null;

create or replace temp table delivery_crews as
select o.order_id, crew.employee_no
from orders as o
left join region_roster_counts as n
    on n.job_role = 'delivery_crew' and n.region_no = o.region_no and n.day = o.delivered_at::date
left join region_roster as crew
    on crew.job_role = 'delivery_crew' and crew.region_no = o.region_no and crew.day = o.delivered_at::date
    and crew.seat = pick(unit(draw('crew', o.order_id), 0), n.seats)
where o.is_delivered and o.delivered_at::date <= getvariable('last_day');
