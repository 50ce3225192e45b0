"""Rules that hold for every table of delivered events, once."""

from expectations.rules import Rule, rows_check


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


def no_day_was_lost(table: str, day: str) -> Rule:
    """No day has lost more than half of the rows of ``core.<table>`` that it has in the release in place, and at least the
    threshold's number of them. A warehouse made anew from files of which one can no longer be read loses less than
    ``did_not_shrink`` notices.
    """
    return rows_check(
        f"{table}.no_day_was_lost",
        f"""
        select day, before.events as events_in_place, coalesce(now.events, 0) as events
        from (select {day} as day, count(*) as events from previous.core.{table} where {day} is not null group by all) as before
        left join (select {day} as day, count(*) as events from marts.core.{table} group by all) as now using (day)
        where before.events - coalesce(now.events, 0) >= $threshold::decimal(18, 4)
          and 2 * coalesce(now.events, 0) < before.events
        """,
        f"select count(*) from marts.core.{table}",
        has_threshold=True,
    )


def rows_reconcile_with_raw(table: str, raw_table: str, key: str) -> Rule:
    """``core.<table>`` has one row per key delivered, no more and no fewer, counted from ``raw`` without the models."""
    return Rule(
        f"{table}.rows_reconcile_with_raw",
        f"""
        select rows_in as checked, abs(rows_in - rows_out) as failed, rows_out as observed
        from (select count(*) as rows_in from (select 1 from warehouse.raw.{raw_table} group by {key}))
        cross join (select count(*) as rows_out from marts.core.{table})
        """,
    )


def volume_is_in_season(table: str, day: str) -> Rule:
    """The last seven days of ``core.<table>`` are within the band that the eight weeks before and the same weeks of last
    year span, widened by the threshold's factor both ways. With fewer than four whole weeks before there is no season to
    compare with yet, and ``observed`` is null.
    """
    return Rule(
        f"{table}.volume_is_in_season",
        f"""
        with days as (
            select {day} as day, count(*) as events from marts.core.{table}
            cross join warehouse.control.night where {day} <= as_of group by all
        ),
        ends as (select min(day) as first_day, max(day) as last_day from days),
        weeks as (
            select cast(floor(date_diff('day', day, last_day) / 7) as integer) as weeks_ago, sum(events) as events
            from days cross join ends
            group by all
        ),
        band as (
            select min(events) as low, max(events) as high, median(events) as middle,
                   count(*) filter (where weeks_ago <= 8) as recent_weeks
            from weeks cross join ends
            where (weeks_ago between 1 and 8 or weeks_ago between 51 and 53)
              and last_day - (weeks_ago * 7 + 6) >= first_day
        )
        select (select count(*) from marts.core.{table}) as checked,
               case when band.recent_weeks < 4 or weeks.events is null then 0
                    when weeks.events * $threshold::decimal(18, 4) < band.low
                      or weeks.events > $threshold::decimal(18, 4) * band.high then 1
                    else 0 end as failed,
               case when band.recent_weeks >= 4 then weeks.events / band.middle end as observed
        from band left join weeks on weeks.weeks_ago = 0
        """,
        has_threshold=True,
    )


# Two samples of this size from one distribution stay far below any threshold worth setting.
_DRIFT_ROWS = 200
_DRIFT_DAYS = 56


def _recent(table: str, day: str, group: str, bucket: str, where: str) -> str:
    return " union all ".join(
        f"""
        select '{side}' as side, {group} as part, {bucket} as bucket, count(*) as events
        from {database}.core.{table}
        where {where} and {day} > (select max({day}) from {database}.core.{table} where {where}) - {_DRIFT_DAYS}
        group by all
        """
        for side, database in (("now", "marts"), ("before", "previous"))
    )


def shares_have_not_drifted(name: str, table: str, day: str, group: str, bucket: str, where: str) -> Rule:
    """Population stability index of ``bucket`` within each ``group``, over the last eight weeks known to the candidate
    against those known to the release in place; the worst group counts. Groups with few rows on either side are passed
    over: their index is noise.
    """
    return Rule(
        f"{table}.{name}",
        f"""
        with counted as ({_recent(table, day, group, bucket, where)}),
        sides as (
            select part, bucket, coalesce(sum(events) filter (where side = 'now'), 0) + 0.5 as now,
                   coalesce(sum(events) filter (where side = 'before'), 0) + 0.5 as before
            from counted group by part, bucket
        ),
        shares as (
            select part, now / sum(now) over part_rows as now, before / sum(before) over part_rows as before
            from sides
            window part_rows as (partition by part)
            qualify least(sum(now) over part_rows, sum(before) over part_rows) >= {_DRIFT_ROWS}
        ),
        drift as (select part, sum((now - before) * ln(now / before)) as psi from shares group by part)
        select (select count(*) from marts.core.{table}) as checked,
               (select count(*) from drift where psi > $threshold::double) as failed,
               (select round(max(psi), 4) from drift) as observed
        """,
        has_threshold=True,
    )


def amounts_have_not_drifted(table: str, day: str, amount: str, where: str) -> Rule:
    """Kolmogorov-Smirnov distance of ``amount`` over the last eight weeks known to the candidate against those known to
    the release in place, on a logarithmic scale of steps of a tenth.
    """
    bucket = f"cast(sign({amount}) * floor(10 * ln(1 + abs(cast({amount} as double)))) as integer)"
    return Rule(
        f"{table}.amounts_have_not_drifted",
        f"""
        with counted as ({_recent(table, day, "1", bucket, where)}),
        steps as (
            select bucket, coalesce(sum(events) filter (where side = 'now'), 0) as now,
                   coalesce(sum(events) filter (where side = 'before'), 0) as before
            from counted group by bucket
        ),
        totals as (select sum(now) as now, sum(before) as before from steps),
        distances as (
            select abs(sum(steps.now) over upward / totals.now - sum(steps.before) over upward / totals.before) as distance
            from steps cross join totals
            where least(totals.now, totals.before) >= {_DRIFT_ROWS}
            window upward as (order by bucket)
        )
        select (select count(*) from marts.core.{table}) as checked,
               (select count(*) from distances where distance > $threshold::double) as failed,
               (select round(max(distance), 4) from distances) as observed
        """,
        has_threshold=True,
    )
