"""Gate rules of the tables in ``journey``: what goes in comes out, and shares are of the whole."""

from expectations.rules import Rule, rows_check
from expectations.shared_rules import did_not_shrink

RULES = (
    Rule(
        "events.reconcile_with_their_sources",
        """
        select records as checked, case when records is distinct from delivered then 1 else 0 end as failed,
               records - delivered as observed
        from (select coalesce(sum(record_count), 0) as records from marts.journey.events)
        cross join (
            select (select count(*) from (select 1 from warehouse.raw.service__interactions group by interaction_id))
                 + (select count(*) from (select 1 from warehouse.raw.service__tickets group by ticket_id))
                 + (select count(*) from (select 1 from warehouse.raw.sales__returns group by return_id))
                 + (select count(*) from marts.core.orders) as delivered
        )
        """,
    ),
    Rule(
        "events.are_in_a_journey_unlinked_or_excluded",
        """
        select events as checked, abs(events - in_journeys - unlinked - excluded) as failed, in_journeys as observed
        from (
            select count(*) as events, count(*) filter (where exclusion_reason is not null) as excluded,
                   count(*) filter (where customer_id is null and exclusion_reason is null) as unlinked
            from marts.journey.events
        )
        cross join (select coalesce(sum(event_count), 0) as in_journeys from marts.journey.journeys)
        """,
    ),
    did_not_shrink("events", schema="journey"),
    rows_check(
        "journeys.are_their_events",
        """
        select journeys.journey_id, journeys.event_count, events.event_count as events_found
        from marts.journey.journeys as journeys
        full join (
            select journey_id, count(*) as event_count, min(occurred_at) as started_at, max(occurred_at) as ended_at,
                   count(order_amount) as order_count, max(event_no) as last_no, count(distinct customer_id) as customers
            from marts.journey.events where journey_id is not null group by journey_id
        ) as events using (journey_id)
        where journeys.event_count is distinct from events.event_count
           or journeys.started_at is distinct from events.started_at
           or journeys.ended_at is distinct from events.ended_at
           or journeys.order_count is distinct from events.order_count
           or events.last_no <> events.event_count or events.customers <> 1
        """,
        "select count(*) from marts.journey.journeys",
    ),
    rows_check(
        "transitions.conserve_their_flow",
        """
        with flows as (
            select period_type, period_start, level, entity_id, to_touchpoint as touchpoint, transition_count as balance
            from marts.journey.transitions
            union all
            select period_type, period_start, level, entity_id, from_touchpoint, -transition_count
            from marts.journey.transitions
        )
        select period_type, period_start, level, entity_id,
               case when touchpoint in ('start', 'end') then 'start and end' else touchpoint end as touchpoint,
               sum(balance) as balance
        from flows group by all having sum(balance) <> 0
        """,
        "select count(*) from marts.journey.transitions",
    ),
    Rule(
        "transitions.have_every_journey",
        """
        select (select count(*) from marts.journey.transitions) as checked,
               case when moves is distinct from events + journeys then 1 else 0 end as failed, moves as observed
        from (
            select coalesce(sum(transition_count), 0) as moves from marts.journey.transitions
            where level = 'company' and period_type = 'month'
        )
        cross join (
            select count(*) as journeys, coalesce(sum(event_count), 0) as events from marts.journey.journeys
        )
        """,
    ),
    Rule(
        "touchpoint_health.counts_every_event",
        """
        select (select count(*) from marts.journey.touchpoint_health) as checked,
               case when counted is distinct from events or answers is distinct from answered then 1 else 0 end as failed,
               counted as observed
        from (
            select coalesce(sum(event_count), 0) as counted, coalesce(sum(nps_n + csat_n + ces_n), 0) as answers
            from marts.journey.touchpoint_health where level = 'company' and period_type = 'month'
        )
        cross join (select count(*) as events from marts.journey.events where exclusion_reason is null)
        cross join (select answers as answered from warehouse.intermediate.int_journey_answers_counted)
        """,
    ),
    rows_check(
        "attribution.credits_are_the_conversions",
        """
        select credits.*
        from (
            select period_type, period_start, outcome_code, unit_kind, model_code, sum(credit) as credit,
                   min(conversions) as conversions, max(conversions) as most_conversions,
                   sum(credited_amount) as credited_amount
            from marts.journey.attribution group by all
        ) as credits
        cross join (select sum(order_count) as orders, sum(order_amount) as amount from marts.journey.journeys)
        where credit <> conversions or conversions <> most_conversions
           or period_type = 'total' and outcome_code = 'order' and (conversions <> orders or credited_amount <> amount)
        """,
        "select count(*) from marts.journey.attribution",
    ),
    rows_check(
        "key_touchpoints.effects_lie_in_their_intervals",
        """
        select touchpoint_code, repurchase_effect, nps_effect from marts.journey.key_touchpoints
        where not coalesce(repurchase_effect between repurchase_ci_low and repurchase_ci_high, true)
           or not coalesce(nps_effect between nps_ci_low and nps_ci_high, true)
           or (repurchase_n > 0 and (repurchase_effect is null) <> (repurchase_problem is not null))
           or is_proven and not coalesce(repurchase_ci_high < 0, false)
        """,
        "select count(*) from marts.journey.key_touchpoints",
    ),
    rows_check(
        "blame_split.shares_are_of_one_outcome",
        """
        select outcome_id, sum(share) as share from marts.journey.blame_split
        full join marts.journey.outcomes using (outcome_id)
        group by outcome_id having coalesce(sum(share), 0) <> 1
        """,
        "select count(*) from marts.journey.blame_split",
    ),
    Rule(
        "blame_split.divides_every_detractor",
        """
        select (select count(*) from marts.journey.blame_split) as checked, abs(detractors - outcomes) as failed,
               outcomes as observed
        from warehouse.intermediate.int_journey_answers_counted
        cross join (
            select count(distinct outcome_id) as outcomes from marts.journey.blame_split where outcome_code = 'detractor'
        )
        """,
    ),
    rows_check(
        "blame_split.has_evidence_behind_every_department",
        """
        select split.outcome_id, split.department_code, split.touchpoint_code from marts.journey.blame_split as split
        where (department_code is null) <> (split_rule <> 'evidence')
           or department_code is not null and not exists (
               select 1 from marts.journey.blame_evidence as evidence
               where evidence.outcome_id = split.outcome_id and evidence.touchpoint_code = split.touchpoint_code
           )
        """,
        "select count(*) from marts.journey.blame_split",
    ),
)
