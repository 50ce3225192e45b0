"""Rules that hold for every table of delivered events, once."""

from expectations.rules import Rule


def excluded_share_is_small(table: str) -> Rule:
    """Rows with an ``exclusion_reason`` are at most the threshold's share of ``core.<table>``."""
    return Rule(
        f"{table}.excluded_share_is_small",
        f"""
        select count(*) as checked,
               case when count(exclusion_reason) > $threshold::decimal(18, 4) * count(*) then count(exclusion_reason)
                    else 0 end as failed,
               count(exclusion_reason) / nullif(count(*), 0) as observed
        from marts.core.{table}
        """,
        has_threshold=True,
    )


def are_fresh(table: str, day: str) -> Rule:
    """The last counted row of ``core.<table>`` is at most the threshold's days before ``as_of``."""
    return Rule(
        f"{table}.are_fresh",
        f"""
        select count(*) as checked,
               case when date_diff('day', max({day}), any_value(as_of)) <= $threshold::decimal(18, 4) then 0
                    when count(*) = 0 then 0 else 1 end as failed,
               date_diff('day', max({day}), any_value(as_of)) as observed
        from marts.core.{table} cross join warehouse.control.night
        where exclusion_reason is null
        """,
        has_threshold=True,
    )


def did_not_shrink(table: str, schema: str) -> Rule:
    """``<schema>.<table>`` has at least the threshold's share of the rows it has in the release in place."""
    return Rule(
        f"{table}.did_not_shrink",
        f"""
        select count(*) as checked,
               case when count(*) < $threshold::decimal(18, 4) * (select count(*) from previous.{schema}.{table})
                    then (select count(*) from previous.{schema}.{table}) - count(*) else 0 end as failed,
               count(*) as observed
        from marts.{schema}.{table}
        """,
        has_threshold=True,
    )
