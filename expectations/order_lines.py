"""Gate rules of ``core.order_lines``."""

from expectations.rules import Rule
from expectations.shared_rules import are_fresh, did_not_shrink, excluded_share_is_small

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
    excluded_share_is_small("order_lines"),
    are_fresh("order_lines", day="ordered_on"),
    did_not_shrink("order_lines", schema="core"),
)
