"""Gate rules of ``core.order_lines``."""

from expectations.rules import Rule, rows_check
from expectations.shared_rules import (
    amounts_have_not_drifted,
    are_fresh,
    did_not_shrink,
    excluded_share_is_small,
    no_day_was_lost,
    volume_is_in_season,
)

# Independent of the models: the latest version of a key is taken with max_by over the raw table, not with a window.
_LATEST = """
    select
        max_by(quantity, (_delivery_key, _line_no)) as quantity,
        max_by(unit_price, (_delivery_key, _line_no)) as unit_price,
        coalesce(max_by([discount_amount], (_delivery_key, _line_no))[1], 0) as discount_amount
    from warehouse.raw.sales__order_lines
    group by order_id, line_no
"""

RULES = (
    Rule(
        "order_lines.rows_reconcile_with_raw",
        f"""
        select (select count(*) from ({_LATEST})) as checked,
               abs((select count(*) from ({_LATEST})) - (select count(*) from marts.core.order_lines)) as failed,
               (select count(*) from marts.core.order_lines) as observed
        """,
    ),
    Rule(
        "order_lines.amounts_reconcile_with_raw",
        f"""
        select rows_in as checked, case when amount_in = amount_out then 0 else 1 end as failed,
               amount_out - amount_in as observed
        from (
            select count(*) as rows_in,
                   coalesce(sum(cast(quantity * unit_price - discount_amount as decimal(18, 4))), 0) as amount_in
            from ({_LATEST})
        )
        cross join (select coalesce(sum(line_amount), 0) as amount_out from marts.core.order_lines)
        """,
    ),
    rows_check(
        "order_lines.are_there_once",
        """
        select order_id, line_no, count(*) as times from marts.core.order_lines
        group by order_id, line_no having count(*) > 1
        """,
        "select count(*) from marts.core.order_lines",
    ),
    rows_check(
        "order_lines.make_their_amount",
        """
        select order_id, line_no, quantity, unit_price, discount_amount, line_amount from marts.core.order_lines
        where line_amount is distinct from quantity * unit_price - coalesce(discount_amount, 0)
        """,
        "select count(*) from marts.core.order_lines",
    ),
    rows_check(
        "order_lines.counted_are_not_in_the_future",
        """
        select order_id, line_no, ordered_on from marts.core.order_lines cross join warehouse.control.night
        where exclusion_reason is null and (ordered_on is null or ordered_on > as_of)
        """,
        "select count(*) from marts.core.order_lines",
    ),
    excluded_share_is_small("order_lines", day="ordered_on"),
    are_fresh("order_lines", day="ordered_on"),
    did_not_shrink("order_lines", schema="core"),
    no_day_was_lost("order_lines", day="ordered_on"),
)

# Systemic faults of the delivery: BI shows what came, pay waits.
PAY_RULES = (
    volume_is_in_season("order_lines", day="ordered_on"),
    amounts_have_not_drifted("order_lines", day="ordered_on", amount="unit_price", where="exclusion_reason is null"),
    rows_check(
        "order_lines.no_store_fell_silent",
        """
        with ends as (
            select max(ordered_on) as last_day from marts.core.order_lines where exclusion_reason is null
        ),
        weeks as (
            select store_id, cast(floor(date_diff('day', ordered_on, last_day) / 7) as integer) as weeks_ago,
                   count(*) as lines
            from marts.core.order_lines cross join ends
            where exclusion_reason is null and ordered_on > last_day - 63 and store_id is not null
            group by all
        )
        select weeks.store_id, min(weeks.lines) as lines_of_its_weakest_week
        from weeks left join marts.core.stores as stores using (store_id) cross join ends
        where stores.closed_on is null or stores.closed_on > ends.last_day - 7
        group by weeks.store_id
        having count(*) filter (where weeks_ago between 1 and 8) = 8 and not bool_or(weeks_ago = 0)
           and min(weeks.lines) >= $threshold::decimal(18, 4)
        """,
        "select count(*) from marts.core.order_lines",
        has_threshold=True,
    ),
)
