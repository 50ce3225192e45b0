-- Tickets of the month's orders. A ticket is delivered in the file of the month it was opened in;
-- one that was still open then comes again, resolved, in the file of the month it was resolved in.
create or replace temp table tickets as
with drawn as (
    select
        o.*,
        draw('ticket', o.order_id) as bits,
        draw('ticket times', o.order_id) as time_bits,
        draw('ticket survey', o.order_id) as survey_bits,
    from orders as o
),

opened as (
    select
        *,
        at_second(
            coalesce(delivered_at, ordered_at)::date + 1 + pick(unit(time_bits, 0), if(is_bad, 2, 20)),
            32400 + unit(time_bits, 1) * 39600
        ) as opened_at,
        -- Minutes to the first answer, 3 to 600; hours from there to the solution, 1 to 120.
        3 * pow(200, unit(time_bits, 2)) as response_minutes,
        pow(120, unit(time_bits, 3)) as solution_hours,
    from drawn
    where unit(bits, 0) < if(is_bad, 0.42, 0.11)
)

select
    'T' || substr(t.order_id, 2) as ticket_id,
    t.order_id,
    t.customer_no,
    t.store_no,
    t.is_bad,
    t.opened_at,
    t.opened_at::date as opened_on,
    t.opened_at + to_seconds(floor(60 * t.response_minutes)::bigint) as first_response_at,
    t.opened_at + to_seconds(floor(60 * t.response_minutes + 3600 * t.solution_hours)::bigint) as resolved_at,
    t.response_minutes > 240 as is_slow,
    case when unit(t.bits, 1) < 0.45 then 'phone' when unit(t.bits, 1) < 0.75 then 'chat'
        when unit(t.bits, 1) < 0.9 then 'email' else 'store' end as channel,
    case
        when t.is_bad then if(unit(t.bits, 2) < 0.7, 'delivery_late', 'complaint')
        when unit(t.bits, 2) < 0.42 then 'question'
        when unit(t.bits, 2) < 0.67 then 'defect'
        when unit(t.bits, 2) < 0.85 then 'refund'
        else 'complaint'
    end as reason_code,
    agent.employee_no,
    t.survey_bits,
from opened as t
left join region_roster_counts as n
    on n.job_role = 'service_agent' and n.region_no = t.region_no and n.day = t.opened_at::date
left join region_roster as agent
    on agent.job_role = 'service_agent' and agent.region_no = t.region_no and agent.day = t.opened_at::date
    and agent.seat = pick(unit(t.bits, 3), n.seats)
where t.opened_at::date <= getvariable('last_day');

insert into tickets_out
with versions as (
    select *, month_file_on(opened_on) as delivered_on, false as is_update from tickets
    union all
    select *, month_file_on(resolved_at::date), true
    from tickets
    where resolved_at::date > month_file_on(opened_on) and resolved_at::date <= getvariable('last_day')
)

select
    v.delivered_on, '', v.is_update,
    v.ticket_id, iso(v.opened_at), v.channel, v.reason_code, c.customer_id, v.order_id, s.store_id, e.employee_id,
    'service',
    case when v.first_response_at::date <= v.delivered_on then iso(v.first_response_at) end,
    case when v.resolved_at::date <= v.delivered_on then iso(v.resolved_at) end,
from versions as v
inner join stores as s on s.store_no = v.store_no
left join customers as c on c.customer_no = v.customer_no
left join employees as e on e.employee_no = v.employee_no;

-- Touches before an order (ad, web visit, enquiry in the store) and after it (delivery,
-- installation, scan of the product), and contacts that lead to nothing.
insert into interactions_out
with before_order as (
    select o.*, draw('contact', o.order_id) as bits, draw('contact times', o.order_id) as time_bits from orders as o
),

touches as (
    select 'A' || order_id as touch, 'ad_view' as touchpoint_code,
        ['search', 'social', 'display'][1 + pick(unit(time_bits, 0), 3)] as channel, customer_no,
        null::integer as store_no, null::integer as employee_no,
        ordered_at - to_seconds(3600 + floor(unit(time_bits, 1) * 777600)::bigint) as occurred_at,
        null::varchar as item_code
    from before_order where unit(bits, 0) < 0.28
    union all
    select 'W' || order_id, 'web_visit', if(unit(time_bits, 0) < 0.6, 'web', 'app'), customer_no, null, null,
        ordered_at - to_seconds(600 + floor(unit(time_bits, 2) * 431400)::bigint), null
    from before_order where unit(bits, 1) < if(is_online, 0.9, 0.35)
    union all
    select 'Q' || order_id, 'store_enquiry', 'store', customer_no, store_no, employee_no,
        ordered_at - to_seconds(300 + floor(unit(time_bits, 3) * 1500)::bigint), null
    from before_order where not is_online and unit(bits, 2) < 0.3
    union all
    select 'D' || o.order_id, 'delivery', 'delivery', o.customer_no, o.store_no, d.employee_no, o.delivered_at, null
    from orders as o inner join delivery_crews as d on d.order_id = o.order_id
    union all
    select 'N' || o.order_id, 'installation', 'delivery', o.customer_no, o.store_no, d.employee_no,
        o.delivered_at + to_seconds(1800 + floor(unit(draw('installation', o.order_id), 1) * 7200)::bigint), null
    from orders as o inner join delivery_crews as d on d.order_id = o.order_id
    where unit(draw('installation', o.order_id), 0) < 0.4
    union all
    select 'P' || o.order_id, 'product_scan', 'app', o.customer_no, null, null,
        coalesce(o.delivered_at, o.ordered_at)
        + to_seconds(7200 + floor(unit(draw('scan', o.order_id), 1) * 1209600)::bigint),
        l.product_id
    from orders as o inner join lines as l on l.order_id = o.order_id and l.line_no = 1
    where o.customer_no is not null and unit(draw('scan', o.order_id), 0) < 0.14
    union all
    select 'V' || strftime(getvariable('month_start'), '%y%m') || customer_no, 'web_visit',
        if(unit(bits, 1) < 0.5, 'web', 'app'), customer_no, null, null,
        at_second(
            getvariable('month_start') + pick(unit(bits, 2), getvariable('month_end') - getvariable('month_start')),
            28800 + unit(bits, 3) * 50400
        ), null
    from (
        select
            customer_no, registered_at, draw('visit', getvariable('month_start')::varchar || '/' || customer_no) as bits
        from customers where registered_on < getvariable('month_start')
    )
    where unit(bits, 0) < 0.25
)

select
    month_file_on(t.occurred_at::date), '',
    'X' || t.touch, iso(t.occurred_at), t.touchpoint_code, t.channel,
    -- Nobody is known to have seen an advertisement before registering.
    if(t.touchpoint_code = 'ad_view' and c.registered_at > t.occurred_at, null, c.customer_id),
    s.store_id, e.employee_id,
    case when t.touchpoint_code = 'ad_view'
        then 'CMP-' || year(t.occurred_at) || 'Q' || quarter(t.occurred_at) || '-' || upper(t.channel) end,
    t.item_code,
from touches as t
left join customers as c on c.customer_no = t.customer_no
left join stores as s on s.store_no = t.store_no
left join employees as e on e.employee_no = t.employee_no
where t.occurred_at::date >= getvariable('first_day') and t.occurred_at::date <= getvariable('last_day');
