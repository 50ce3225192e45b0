-- Seats turn a weighted choice into an equality join: an entity with weight w holds w numbered
-- seats. Region -1 is the chain.
create temp table store_seats as
with weighted as (
    select region_no, store_no, unnest(range(weight)) as copy from stores
    union all
    select -1, store_no, unnest(range(weight)) from stores
)
select region_no, store_no, (row_number() over (partition by region_no order by store_no, copy) - 1)::integer as seat
from weighted;

-- Seats of the chain first, then of each region: a variable, because a joined count can tempt the
-- optimiser into joining all customers with all seats.
set variable seat_counts = (
    select list(seats order by region_no) from (select region_no, count(*) as seats from store_seats group by region_no)
);

create temp table customers as
with drawn as (
    select
        *,
        draw('customer', customer_no::varchar) as bits,
        draw('customer home', customer_no::varchar) as home_bits,
        draw('order', 'm' || customer_no || '.0') as order_bits,
    from customer_latents
)
select
    d.customer_no,
    'C' || lpad(d.customer_no::varchar, 7, '0') as customer_id,
    getvariable('first_day') + d.first_day as registered_on,
    at_second(getvariable('first_day') + d.first_day, order_second(d.order_bits) - 120 - unit(d.bits, 0) * 420)
        as registered_at,
    s.store_no as home_store_no,
    s.region_no,
    s.region,
    s.city,
    d.spend_scale,
    case
        when d.spend_scale > getvariable('gold_scale') then 'gold'
        when d.spend_scale > getvariable('silver_scale') then 'silver'
        else 'standard'
    end as segment,
    ['store', 'web', 'app', 'referral'][1 + (unit(d.bits, 1) > 0.55)::integer + (unit(d.bits, 1) > 0.75)::integer
        + (unit(d.bits, 1) > 0.92)::integer] as acquisition_channel,
    -- 100 is no mobile prefix and example.com no company: nobody real can be called or written to.
    case
        when unit(d.bits, 2) < 0.6 then '100' || lpad((d.customer_no % 100000000)::varchar, 8, '0')
        else 'c' || d.customer_no || '@example.com'
    end as contact,
    unit(d.bits, 3) >= 0.08 as survey_consent,
    unit(d.home_bits, 2) < 0.12 as is_english,
    'dev-' || left(md5(getvariable('seed') || '/device/' || d.customer_no), 12) as device_id,
from drawn as d
inner join store_seats as seat
    on seat.region_no = -1 and seat.seat = pick(unit32(d.home_bits, 0), getvariable('seat_counts')[1])
inner join stores as s on s.store_no = seat.store_no
order by d.customer_no;

create temp table order_lines_out (
    delivered_on date, part varchar, rank integer, event_on date, kind varchar, net_cents bigint,
    order_id varchar, line_no integer, ordered_at varchar, store_id varchar, product_id varchar, quantity integer,
    unit_price decimal(18, 2), currency_code varchar, customer_id varchar, employee_id varchar, channel varchar,
    discount_amount decimal(18, 2)
);
create temp table returns_out (
    delivered_on date, part varchar, sold_on date, refund_cents bigint,
    return_id varchar, order_id varchar, line_no integer, returned_at varchar, quantity integer,
    refund_amount decimal(18, 2), reason_code varchar
);
create temp table invitations_out (
    delivered_on date, part varchar,
    invitation_id varchar, survey_code varchar, channel varchar, sent_at varchar, customer_id varchar, order_id varchar,
    store_id varchar, employee_id varchar, touchpoint_code varchar
);
create temp table responses_out (
    delivered_on date, part varchar, rank integer, event_on date, kind varchar,
    response_id varchar, survey_code varchar, channel varchar, submitted_at varchar, invitation_id varchar,
    customer_id varchar, order_id varchar, store_id varchar, employee_id varchar, touchpoint_code varchar,
    started_at varchar, device_id varchar, network_id varchar, qr_token varchar, language varchar
);
create temp table answers_out (
    delivered_on date, part varchar, rank integer, event_on date, kind varchar, submitted_at varchar, store_id varchar,
    question_no integer,
    response_id varchar, question_code varchar, score varchar, answer_text varchar
);
create temp table tickets_out (
    delivered_on date, part varchar, is_update boolean,
    ticket_id varchar, opened_at varchar, channel varchar, reason_code varchar, customer_id varchar, order_id varchar,
    store_id varchar, employee_id varchar, department_code varchar, first_response_at varchar, resolved_at varchar
);
create temp table interactions_out (
    delivered_on date, part varchar,
    interaction_id varchar, occurred_at varchar, touchpoint_code varchar, channel varchar, customer_id varchar,
    store_id varchar, employee_id varchar, campaign_code varchar, item_code varchar
);
create temp table case_outcomes_out (
    delivered_on date, part varchar,
    case_id varchar, handled_at varchar, outcome_code varchar, handled_by varchar, comment varchar
);
-- What only the truth needs.
create temp table deliveries (customer_no bigint, ordered_on date, is_bad boolean, drops_out boolean);
create temp table revenue_by_store (month date, store_no integer, cents hugeint, till_cents hugeint);
create temp table selling_days (month date, store_no integer, employee_no integer, weight bigint);
create temp table scheme_effects (
    month date, responses bigint, top_box bigint, responses_without bigint, top_box_without bigint
);
create temp table self_filled (response_id varchar, submitted_at varchar);
create temp table planted (screen_code varchar, response_id varchar);
create temp table comment_counts (theme varchar, polarity varchar, comments bigint);
