-- Surveys about the month's visits, deliveries and service calls: invitations, responses, answers.
create or replace temp table askable as
with orders_drawn as (
    select *, draw('ask', order_id) as ask_bits, draw('ask delivery', order_id) as delivery_ask_bits from orders
),

store_visits as (
    select
        'V' || substr(o.order_id, 2) as about,
        'store_visit' as survey_code,
        if(o.is_online, 'checkout_online', 'checkout_till') as touchpoint_code,
        o.order_id, o.customer_no, o.store_no, o.employee_no, o.ordered_at as happened_at,
        s.effect + coalesce(e.effect, 0) as base_latent,
        if(not o.is_online and o.ordered_on >= s.rollout_on, getvariable('scheme_lift'), 0) as lift_latent,
        o.ask_bits as bits,
        case
            when o.is_online then if(c.survey_consent, if(unit(o.ask_bits, 0) < 0.5, 'app', 'email'), null)
            when not coalesce(c.survey_consent, false) then if(unit(o.ask_bits, 0) < 0.9, 'qr', null)
            when unit(o.ask_bits, 0) < 0.46 then 'qr'
            when unit(o.ask_bits, 0) < 0.70 then 'sms'
            when unit(o.ask_bits, 0) < 0.90 then 'app'
            else 'email'
        end as channel,
    from orders_drawn as o
    inner join stores as s on s.store_no = o.store_no
    left join customers as c on c.customer_no = o.customer_no
    left join employees as e on e.employee_no = o.employee_no
),

deliveries_made as (
    select
        'D' || substr(o.order_id, 2), 'delivery', 'delivery',
        o.order_id, o.customer_no, o.store_no, d.employee_no, o.delivered_at,
        getvariable('delivery_base') + coalesce(e.effect, 0) + if(o.is_bad, getvariable('delivery_damage'), 0),
        0,
        o.delivery_ask_bits,
        case
            when not coalesce(c.survey_consent, false)
                then if(unit(o.delivery_ask_bits, 0) < 0.5, 'qr', null)
            when unit(o.delivery_ask_bits, 0) < 0.55 then 'sms'
            when unit(o.delivery_ask_bits, 0) < 0.85 then 'app'
            else 'email'
        end,
    from orders_drawn as o
    inner join delivery_crews as d on d.order_id = o.order_id
    left join customers as c on c.customer_no = o.customer_no
    left join employees as e on e.employee_no = d.employee_no
),

service_calls as (
    select
        'S' || substr(t.ticket_id, 2), 'service_call', 'service_call',
        t.order_id, t.customer_no, t.store_no, t.employee_no, t.resolved_at,
        getvariable('service_base') + coalesce(e.effect, 0) + if(t.is_slow, getvariable('service_delay_damage'), 0)
        + if(t.is_bad, 0.5 * getvariable('service_delay_damage'), 0),
        0,
        t.survey_bits,
        case
            when unit(t.survey_bits, 0) > 0.9 or not coalesce(c.survey_consent, true) then null
            else if(c.customer_no is null or unit(t.survey_bits, 0) < 0.6, 'sms', 'app')
        end,
    from tickets as t
    left join customers as c on c.customer_no = t.customer_no
    left join employees as e on e.employee_no = t.employee_no
    where t.channel in ('phone', 'chat')
),

visits as (
    from store_visits union all from deliveries_made union all from service_calls
)

select
    'I' || v.about as invitation_id,
    'A' || v.about as response_id,
    v.* exclude (about),
    c.segment is not distinct from 'gold' as is_gold,
    coalesce(c.is_english, unit(v.bits, 3) < 0.05) as is_english,
    c.device_id as own_device_id,
    v.happened_at + to_seconds(case v.channel when 'qr' then 0 when 'app' then 3600 when 'sms' then 7200 else 72000 end)
        as sent_at,
from visits as v
left join customers as c on c.customer_no = v.customer_no
where v.channel is not null;

delete from askable where sent_at::date > getvariable('last_day');

insert into invitations_out
select
    month_file_on(a.sent_at::date), '',
    a.invitation_id, a.survey_code, a.channel, iso(a.sent_at), c.customer_id, a.order_id, s.store_id, e.employee_id,
    a.touchpoint_code,
from askable as a
inner join stores as s on s.store_no = a.store_no
left join customers as c on c.customer_no = a.customer_no
left join employees as e on e.employee_no = a.employee_no;

-- Whether the scheme was in force changes the answer and, for the few at the edge, whether there is
-- one: both are kept.
create or replace temp table invited as
with felt as (
    select
        *,
        draw('respond', response_id) as respond_bits,
        base_latent + if(is_gold, getvariable('gold_lift'), 0) + normal(draw('mood', response_id)) as latent_without,
    from askable
),

likely as (
    select
        *,
        latent_without + lift_latent as latent,
        case channel when 'qr' then getvariable('response_qr') when 'app' then getvariable('response_app')
            when 'sms' then getvariable('response_sms') else getvariable('response_email') end
        + if(is_gold, 0.05, 0) as chance,
    from felt
)

select
    *,
    unit32(respond_bits, 0) < chance + if(abs(latent) > 1.3, getvariable('response_extreme'), 0) as responds,
    unit32(respond_bits, 0) < chance + if(abs(latent_without) > 1.3, getvariable('response_extreme'), 0)
        as responds_without,
    draw('csat', response_id) as csat_bits,
from likely;

insert into scheme_effects
with asked as (
    select *, getvariable('question_sd') * normal(csat_bits) as noise from invited where lift_latent != 0
),

latents as (
    select responds, responds_without, latent + noise as with_scheme, latent_without + noise as without_scheme
    from asked
)

select
    getvariable('month_start'),
    count(*) filter (responds),
    count(*) filter (responds and csat_score(with_scheme) >= 4),
    count(*) filter (responds_without),
    count(*) filter (responds_without and csat_score(without_scheme) >= 4),
from latents;

-- The self-filler collects receipts whose customers did not answer and fills the questionnaires in
-- at the end of a shift, one after the other on one device, all top scores.
create or replace temp table filled_in as
with receipts as (
    select
        i.invitation_id,
        d.day,
        row_number() over (partition by d.day order by i.happened_at desc, i.invitation_id) as position,
    from invited as i
    inner join self_filling_days as d on i.happened_at::date <= d.day and i.happened_at::date > d.day - 14
    where i.employee_no = getvariable('self_filler') and i.survey_code = 'store_visit' and i.channel = 'qr'
        and not i.responds
)

select invitation_id, at_second(day, 77700 + position * 47) as submitted_at, position from receipts where position <= 8;

-- Once a month somebody in one store sends half a dozen questionnaires within a minute, from as many
-- devices on one network.
create or replace temp table sent_in_burst as
with receipts as (
    select
        i.invitation_id,
        d.day,
        row_number() over (partition by d.day order by i.happened_at desc, i.invitation_id) as position,
        count(*) over (partition by d.day) as receipts_found,
    from invited as i
    inner join burst_days as d on i.happened_at::date < d.day and i.happened_at::date > d.day - 21
    where i.store_no = getvariable('burst_store') and i.survey_code = 'store_visit' and i.channel = 'qr'
        and not i.responds and i.employee_no is distinct from getvariable('self_filler')
)

select
    invitation_id, at_second(day, 54000 + position * 7) as submitted_at,
    'net-' || left(md5(getvariable('seed') || '/burst/' || day), 12) as network_id,
from receipts where position <= 6 and receipts_found >= 6;

create or replace temp table responded as
with drawn as (
    select
        i.*,
        f.position is not null as is_self_filled,
        b.network_id as burst_network_id,
        draw('response time', i.response_id) as time_bits,
        draw('nps', i.response_id) as nps_bits,
        draw('ces', i.response_id) as ces_bits,
        draw('skips', i.response_id) as skip_bits,
        draw('comment', i.response_id) as comment_bits,
        coalesce(f.submitted_at, b.submitted_at) as filled_at,
    from invited as i
    left join filled_in as f on f.invitation_id = i.invitation_id
    left join sent_in_burst as b on b.invitation_id = i.invitation_id
    where i.responds or f.position is not null or b.invitation_id is not null
)

select
    *,
    latent + getvariable('question_sd') * normal(csat_bits) as csat_latent,
    latent + getvariable('question_sd') * normal(nps_bits) as nps_latent,
    latent + getvariable('question_sd') * normal(ces_bits) as ces_latent,
    coalesce(
        filled_at,
        sent_at + to_seconds(floor(case
            when channel = 'qr' then 60 + 1800 * pow(unit(time_bits, 0), 2)
                + if(unit(time_bits, 1) < 0.15, 86400 * unit(time_bits, 2), 0)
            else least(864000, -if(channel = 'email', 90000, 30000) * ln(unit(time_bits, 0))) + 90
        end)::bigint)
    ) as submitted_at,
    floor(if(is_self_filled, 7 + unit(time_bits, 3) * 6, 20 + unit(time_bits, 3) * 160))::bigint as seconds_taken,
    -- Somebody scans the code on a shelf instead of the receipt: no invitation, no order.
    channel = 'qr' and survey_code = 'store_visit' and customer_no is null and not is_self_filled
        and unit(time_bits, 2) < 0.08 as is_walk_in,
from drawn;

delete from responded where submitted_at::date > getvariable('last_day');

-- Two stores have a tablet at the till that some customers are handed, and here and there a code is
-- used a second time.
create or replace temp table oddities as
with honest as (
    select
        r.response_id,
        s.store_id,
        draw('oddity', r.response_id) as bits,
        lag(r.response_id) over (partition by r.store_no order by r.submitted_at, r.response_id) as previous_response_id,
    from responded as r
    inner join stores as s on s.store_no = r.store_no
    where r.channel = 'qr' and r.survey_code = 'store_visit' and not r.is_self_filled and r.burst_network_id is null
)

select
    response_id,
    if(list_contains(getvariable('tablet_stores'), store_id) and unit(bits, 0) < 0.01, 'dev-tablet-' || store_id, null)
        as tablet_id,
    if(unit(bits, 1) < 0.004, previous_response_id, null) as token_of,
from honest;

insert into planted
select 'staff_device', response_id from oddities where tablet_id is not null
union all
select 'repeated_token', response_id from oddities where token_of is not null and tablet_id is null
union all
select 'burst', response_id from responded where burst_network_id is not null;

insert into responses_out
select
    r.submitted_at::date, '', 0, r.submitted_at::date, 'base',
    r.response_id, r.survey_code, r.channel, iso(r.submitted_at), if(r.is_walk_in, null, r.invitation_id),
    if(r.is_self_filled, null, c.customer_id), if(r.is_walk_in, null, r.order_id), s.store_id, e.employee_id,
    r.touchpoint_code, iso(r.submitted_at - to_seconds(r.seconds_taken)),
    case
        when r.is_self_filled then getvariable('self_filler_device')
        when o.tablet_id is not null then o.tablet_id
        else coalesce(r.own_device_id, 'dev-' || left(md5(getvariable('seed') || '/device/' || r.response_id), 12))
    end,
    case
        when r.burst_network_id is not null then r.burst_network_id
        when r.is_self_filled or (r.channel = 'qr' and unit(r.bits, 1) < 0.35) then 'wifi-' || s.store_id
        else 'net-' || left(md5(getvariable('seed') || '/network/' || coalesce(r.own_device_id, r.response_id)), 12)
    end,
    if(r.channel = 'qr', 'qr-' || left(md5(getvariable('seed') || '/token/' || coalesce(o.token_of, r.response_id)), 16), null),
    if(r.is_english, 'en', 'zh-CN'),
from responded as r
inner join stores as s on s.store_no = r.store_no
left join oddities as o on o.response_id = r.response_id
left join customers as c on c.customer_no = r.customer_no
left join employees as e on e.employee_no = r.employee_no;

insert into self_filled select response_id, iso(submitted_at) from responded where is_self_filled;

create or replace temp table comments as
with speaking as (
    select
        r.response_id,
        r.survey_code,
        if(r.is_english, 'en', 'zh') as language,
        csat_score(r.csat_latent) as score,
        r.comment_bits as bits,
    from responded as r
    where not r.is_self_filled and unit(r.comment_bits, 0) < 0.36
),

toned as (
    select
        *,
        if(score >= 4 or (score = 3 and unit(bits, 1) < 0.5), 'positive', 'negative') as polarity,
        pick(unit(bits, 2), getvariable('comment_slots')) as slot,
        if(unit(bits, 1) > 0.75, pick(unit(bits, 3), getvariable('comment_slots')), null) as extra_slot,
    from speaking
),

worded as (
    select
        t.*,
        s.theme,
        s.sentence,
        nullif(extra.theme, s.theme) as extra_theme,
        if(extra.theme != s.theme, extra.sentence, null) as extra_sentence,
    from toned as t
    inner join comment_slots as s
        on s.survey_code = t.survey_code and s.polarity = t.polarity and s.language = t.language
        and s.slot = t.slot
    left join comment_slots as extra
        on extra.survey_code = t.survey_code and extra.polarity = t.polarity and extra.language = t.language
        and extra.slot = t.extra_slot
)

select
    response_id, polarity, theme, extra_theme,
    sentence || coalesce(if(unit(bits, 0) < 0.05, chr(10), ' ') || extra_sentence, '') as comment_text,
from worded;

insert into comment_counts
select theme, polarity, count(*) from comments group by theme, polarity
union all
select extra_theme, polarity, count(*) from comments where extra_theme is not null group by extra_theme, polarity;

insert into answers_out
with asked as (
    select
        response_id, 1 as question_no,
        case survey_code
            when 'store_visit' then 'csat_overall'
            when 'delivery' then 'csat_delivery'
            else 'csat_service'
        end as question_code,
        if(is_self_filled, 5, csat_score(csat_latent)) as score, null as answer_text
    from responded
    union all
    select
        response_id, 2, 'nps_recommend',
        if(is_self_filled, 10, nps_score(nps_latent)), null
    from responded
    where survey_code != 'service_call' and (is_self_filled or unit(skip_bits, 0) > 0.04)
    union all
    select
        response_id, 3, 'ces_effort',
        if(is_self_filled, 7, ces_score(ces_latent)), null
    from responded
    where survey_code != 'delivery' and (is_self_filled or unit(skip_bits, 1) > 0.06)
    union all
    select response_id, 4, 'comment', null, comment_text from comments
)

select
    r.submitted_at::date, '', 0, r.submitted_at::date, 'base', iso(r.submitted_at), s.store_id, a.question_no,
    a.response_id, a.question_code, a.score::varchar, a.answer_text,
from asked as a
inner join responded as r on r.response_id = a.response_id
inner join stores as s on s.store_no = r.store_no;

-- Two bad answers in three are looked into within a week, by somebody of the region's service desk
-- or nobody named; a file a month.
insert into case_outcomes_out
with bad as (
    select *
    from answers_out
    where kind = 'base' and (
        question_code like 'csat_%' and try_cast(score as integer) <= 2
        or question_code = 'nps_recommend' and try_cast(score as integer) <= 6
        or question_code = 'ces_effort' and try_cast(score as integer) <= 3
    )
),

handled as (
    select
        b.response_id || ':' || b.question_code as case_id,
        draw('case', b.response_id || ':' || b.question_code) as bits,
        r.region_no,
        r.submitted_at + to_seconds(
            3600 + floor(600000 * pow(unit(draw('case', b.response_id || ':' || b.question_code), 1), 3))::bigint
        ) as handled_at,
    from bad as b
    inner join (
        select r.response_id, r.submitted_at, s.region_no
        from responded as r inner join stores as s on s.store_no = r.store_no
    ) as r on r.response_id = b.response_id
    where unit(draw('case', b.response_id || ':' || b.question_code), 0) < 0.66
)

select
    month_file_on(h.handled_at::date), '',
    h.case_id, iso(h.handled_at),
    case
        when unit(h.bits, 2) < 0.45 then 'resolved'
        when unit(h.bits, 2) < 0.6 then 'compensated'
        when unit(h.bits, 2) < 0.8 then 'apologised'
        when unit(h.bits, 2) < 0.95 then 'unreachable'
        else 'unfounded'
    end,
    e.employee_id,
    if(unit(h.bits, 3) < 0.3, '已回访，客户接受说明', null),
from handled as h
left join region_roster_counts as n
    on n.job_role = 'service_agent' and n.region_no = h.region_no and n.day = h.handled_at::date
left join region_roster as agent
    on agent.job_role = 'service_agent' and agent.region_no = h.region_no and agent.day = h.handled_at::date
    and agent.seat = pick(unit(h.bits, 3), n.seats)
left join employees as e on e.employee_no = agent.employee_no
where h.handled_at::date <= getvariable('last_day');
