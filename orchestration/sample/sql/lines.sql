-- Lines of the month's orders, and their returns. An order's total is exact to the cent: it is cut
-- into lines, each line gets the product whose list price lies just above, and the rest is the
-- line's discount.
create or replace temp table lines as
with numbered as (
    select
        o.order_id,
        o.line_count,
        o.total_cents,
        unnest(range(1, o.line_count + 1))::integer as line_no,
        draw('lines', o.order_id) as share_bits,
    from orders as o
),

weighted as (
    select *, (300 + ((share_bits >> (10 * (line_no - 1))::ubigint) & 1023::ubigint))::bigint as weight from numbered
),

cumulated as (
    select
        *,
        sum(weight) over (partition by order_id order by line_no)::bigint as weight_so_far,
        sum(weight) over (partition by order_id)::bigint as weight_in_all,
    from weighted
),

cut as (
    select
        order_id,
        line_no,
        total_cents * weight_so_far // weight_in_all
        - total_cents * (weight_so_far - weight) // weight_in_all as net_cents,
        draw('line', order_id || '-' || line_no) as bits,
    from cumulated
),

counted as (
    select
        *,
        case when net_cents > 30000 then 1 else 1 + (unit(bits, 0) > 0.72)::integer + (unit(bits, 0) > 0.9)::integer end
            as quantity,
    from cut
),

-- 0.3 of a step above: more than the rounding of a list price can take away again, so that no
-- discount is negative.
priced as (
    select
        *,
        least(
            getvariable('top_rung'),
            greatest(0, ceil(
                ln(net_cents / (100 * getvariable('ladder_base') * quantity)) / ln(getvariable('ladder_step')) + 0.3
            ))
            + pick(unit(bits, 1), 3) + if(unit(bits, 1) > 0.8, 4, 0)
        )::integer as rung,
    from counted
)

select
    l.order_id,
    l.line_no,
    p.product_id,
    p.category,
    l.quantity,
    p.price_cents,
    l.quantity * p.price_cents - l.net_cents as discount_cents,
    l.net_cents,
    l.bits,
from priced as l
inner join products as p on p.rung = l.rung;

insert into order_lines_out
select
    o.ordered_on, '', 0, o.ordered_on, 'base', l.net_cents,
    l.order_id, l.line_no, iso(o.ordered_at), s.store_id, l.product_id, l.quantity,
    money(l.price_cents), getvariable('currency_code'), c.customer_id, e.employee_id,
    if(o.is_online, 'online', 'store'),
    money(l.discount_cents),
from lines as l
inner join orders as o on o.order_id = l.order_id
inner join stores as s on s.store_no = o.store_no
left join customers as c on c.customer_no = o.customer_no
left join employees as e on e.employee_no = if(l.line_no = 1, o.employee_no, o.colleague_no);

insert into returns_out
with drawn as (
    select
        l.*,
        o.ordered_on,
        o.is_bad,
        o.delivered_at,
        draw('return', l.order_id || '-' || l.line_no) as return_bits,
    from lines as l
    inner join orders as o on o.order_id = l.order_id
    where unit(l.bits, 2) < if(o.is_bad, 0.11, if(l.category = 'textiles', 0.06, 0.04))
),

timed as (
    select
        *,
        case when quantity > 1 and unit(return_bits, 1) < 0.5 then 1 else quantity end as returned_quantity,
        greatest(ordered_on + 2 + pick(unit(return_bits, 0), 39), coalesce(delivered_at::date + 1, ordered_on))
            as returned_on,
    from drawn
)

select
    month_file_on(returned_on), '', ordered_on, net_cents * returned_quantity // quantity,
    'R' || substr(order_id, 2) || '-' || line_no,
    order_id,
    line_no,
    iso(at_second(returned_on, 36000 + unit(return_bits, 2) * 36000)),
    returned_quantity,
    money(net_cents * returned_quantity // quantity),
    case
        when is_bad and unit(return_bits, 3) < 0.6 then 'delivery_damage'
        when unit(return_bits, 3) < 0.35 then 'defect'
        when unit(return_bits, 3) < 0.8 then 'changed_mind'
        else 'wrong_item'
    end,
from timed
where returned_on <= getvariable('last_day');

insert into revenue_by_store
select
    getvariable('month_start'), o.store_no, sum(o.total_cents),
    coalesce(sum(o.total_cents) filter (not o.is_online), 0),
from orders as o
group by o.store_no;
