"""Rules that hold for every table of delivered events, once."""

from expectations.rules import Rule, rows_check


def excluded_share_is_small(table: str, day: str) -> Rule:
    """Rows with an ``exclusion_reason`` are at most the threshold's share of ``core.<table>``, and of its last four weeks: in
    all of history a night of which nothing counts is no share at all. Of rows that have no day, or one that is still to
    come, those are recent that the release in place does not have.
    """
    return Rule(
        f"{table}.excluded_share_is_small",
        f"""
        with counted as (
            select case when {day} <= as_of then {day} end as day, count(*) as events, count(exclusion_reason) as excluded
            from marts.core.{table} cross join warehouse.control.night group by all
        ),
        in_place as (
            select count(*) as events, count(exclusion_reason) as excluded
            from previous.core.{table} cross join warehouse.control.night where coalesce({day} > as_of, true)
        ),
        recent as (
            select events, excluded from counted where day > (select max(day) from counted) - 28
            union all
            select greatest(0, counted.events - in_place.events), greatest(0, counted.excluded - in_place.excluded)
            from counted cross join in_place
            where day is null and exists (select 1 from previous.core.{table})
        ),
        shares as (
            select sum(excluded) as excluded, sum(excluded) / sum(events) as share from counted
            union all
            select sum(excluded), sum(excluded) / sum(events) from recent
        )
        select (select count(*) from marts.core.{table}) as checked,
               coalesce(max(excluded) filter (where share > $threshold::decimal(18, 4)), 0) as failed,
               max(share) as observed
        from shares
        """,
        has_threshold=True,
        version=2,
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


# A day is held against the eight weeks before it for as long as its month is not paid: four weeks, and whatever else is new
# since the release in place. So is the week that ends with it, for where a day has few rows.
_DRIFT_DAYS, _BEFORE_DAYS, _SPANS = 28, 56, (1, 7)
# Samples of one distribution differ by more than is left to chance once in 100,000 comparisons: the logarithm of that, and
# the quantile of the normal distribution.
_CHANCE, _CHANCE_QUANTILE = 11.51, 4.26


def _compared(table: str, day: str, part: str, bucket: str, where: str) -> str:
    """Common table expressions, the last of which is ``compared``: rows by ``last_day``, ``days``, ``part`` and ``bucket``,
    ``now`` in the span of so many days that ends there and ``before`` in those before it, both as the candidate knows them.
    The span of all of the eight weeks up to the last day of the release in place is held against that release.
    """
    counted = f"select {day} as day, {part} as part, {bucket} as bucket, count(*) as events from {{}}.core.{table}"
    return f"""
        ends as (
            select last_day, last_day_in_place, least(last_day - {_DRIFT_DAYS}, last_day_in_place) as day_before
            from (select max({day}) as last_day from marts.core.{table} where {where})
            cross join (select max({day}) as last_day_in_place from previous.core.{table} where {where})
        ),
        counted as (
            {counted.format("marts")} cross join ends
            where {where} and {day} > day_before - {_BEFORE_DAYS + max(_SPANS)} group by all
        ),
        in_place as (
            {counted.format("previous")} cross join ends
            where {where} and {day} > last_day_in_place - {_BEFORE_DAYS} group by all
        ),
        spans as (
            select distinct counted.day as last_day, unnest({list(_SPANS)}) as days
            from counted inner join ends on counted.day > day_before
        ),
        compared as (
            select spans.last_day, days, part, bucket,
                   coalesce(sum(events) filter (where day > spans.last_day - days), 0) as now,
                   coalesce(sum(events) filter (where day <= spans.last_day - days), 0) as before
            from spans
            inner join counted on day <= spans.last_day and day > spans.last_day - days - {_BEFORE_DAYS}
            group by all
            union all
            select last_day_in_place, {_BEFORE_DAYS}, part, bucket, coalesce(sum(now), 0), coalesce(sum(before), 0)
            from (select *, events as now, 0 as before from counted union all select *, 0, events from in_place)
            inner join ends on day between last_day_in_place - {_BEFORE_DAYS - 1} and last_day_in_place
            group by all
        )
    """


def _drift_rule(name: str, table: str, drift: str) -> Rule:
    """A rule on the select ``drift`` of spans, each with the ``distance`` that is beyond chance."""
    return Rule(
        f"{table}.{name}",
        f"""
        select (select count(*) from marts.core.{table}) as checked,
               count(*) filter (where distance > $threshold::double) as failed,
               round(max(greatest(distance, 0)), 4) as observed
        from ({drift})
        """,
        has_threshold=True,
        version=2,
        rows_sql=f"select * from ({drift}) where distance > $threshold::double order by last_day, days",
    )


def shares_have_not_drifted(name: str, table: str, day: str, part: str, bucket: str, where: str) -> Rule:
    """Divergence of the shares of ``bucket`` within each ``part``, and over all of them, by how much it is beyond chance; the
    worst counts. Twice that of Kullback and Leibler, which is the population stability index of a small shift; times the
    rows it is chi-square distributed, whose quantile is that of Wilson and Hilferty.
    """
    chance = f"power(1 - 2 / (9 * freedom) + {_CHANCE_QUANTILE} * sqrt(2 / (9 * freedom)), 3)"
    drift = f"""
        with {_compared(table, day, part, bucket, where)},
        shares as (
            select last_day, days, part, sum(now) over buckets as now_rows, sum(before) over buckets as before_rows,
                   now / sum(now) over buckets as now, (before + 0.5) / sum(before + 0.5) over buckets as before
            from compared
            window buckets as (partition by last_day, days, part)
        ),
        parts as (
            select last_day, days, part, 2 * sum(now * ln(nullif(now, 0) / before)) as divergence,
                   count(*) - 1 as freedom, 1 / (1 / any_value(now_rows) + 1 / any_value(before_rows)) as weight
            from shares where now_rows > 0 and before_rows > 0
            group by last_day, days, part having count(*) > 1
        ),
        summed as (
            select last_day, days, part, sum(divergence * weight) as divergence, sum(freedom) as freedom, sum(weight) as weight
            from parts
            group by grouping sets ((last_day, days, part), (last_day, days))
        )
        select last_day, days, part, (divergence - freedom * {chance}) / weight as distance from summed
    """
    return _drift_rule(name, table, drift)


def amounts_have_not_drifted(table: str, day: str, amount: str, where: str) -> Rule:
    """Kolmogorov-Smirnov distance of ``amount``, on a logarithmic scale of steps of a tenth, by how much it is beyond
    chance, for which the bound of Dvoretzky, Kiefer and Wolfowitz stands.
    """
    bucket = f"cast(sign({amount}) * floor(10 * ln(1 + abs(cast({amount} as double)))) as integer)"
    drift = f"""
        with {_compared(table, day, "null", bucket, where)},
        steps as (
            select last_day, days, sum(now) over upward as now, sum(before) over upward as before,
                   sum(now) over buckets as now_rows, sum(before) over buckets as before_rows
            from compared
            window buckets as (partition by last_day, days), upward as (partition by last_day, days order by bucket)
        )
        select last_day, days, max(abs(now / now_rows - before / before_rows))
               - sqrt((ln(2) + {_CHANCE}) / 2 * (1 / any_value(now_rows) + 1 / any_value(before_rows))) as distance
        from steps where now_rows > 0 and before_rows > 0
        group by last_day, days
    """
    return _drift_rule("amounts_have_not_drifted", table, drift)
