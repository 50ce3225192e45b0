"""What a period would pay, read from the release in place: the only source of what is calculated, approved and closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb

from expectations.verdict import VerdictError, verify_marts
from orchestration.ledger.canonical import TableText, canonical_json, read_table, sha256_bytes, sha256_text
from orchestration.ledger.errors import LedgerDamaged, NotKnown, Refused
from orchestration.ledger.periods import PeriodKey
from orchestration.pay_file import open_file
from orchestration.publishing.release import PublishRefused, Release, current_release, verify_release
from orchestration.settings import Company

_ADJUSTMENT_FIELDS = (
    "adjustment_id", "statement_id", "line_key", "employee_id", "plan_code", "period_type", "corrected_period_start",
    "posted_period_start", "adjustment_type", "amount", "currency_code", "reason", "approved_by",
)  # fmt: skip


# Who holds a payee whose pay the checks of a night doubt.
GATE = "gate"


@dataclass(frozen=True)
class Basis:
    """A period's statements, their lines and the adjustments posted in it, with the release they are of.

    ``basis_hash`` covers what is paid and nothing else: a later night that comes to the same pay has the same one.
    ``doubts`` are the holds that the gate placed.
    """

    key: PeriodKey
    period_end: date
    is_complete: bool
    release_id: str
    as_of: date
    inputs_hash: str
    policy_hash: str
    code_version: str
    statements: TableText
    statement_lines: TableText
    adjustments: tuple[dict[str, Any], ...]
    earlier: tuple[PeriodKey, ...]
    doubts: tuple[dict[str, Any], ...] = ()

    @property
    def basis_hash(self) -> str:
        """Hash of statements, lines and adjustments."""
        parts = [
            sha256_bytes(self.statements.to_bytes()),
            sha256_bytes(self.statement_lines.to_bytes()),
            canonical_json(self.adjustments),
        ]
        return sha256_text("\n".join(parts))

    @property
    def totals(self) -> dict[str, str]:
        """Sum of the statements per currency, as text."""
        return sums_by_currency(self.statements.records())

    def fields(self) -> dict[str, Any]:
        """What every entry about the period says of it."""
        return {
            "period_type": self.key.period_type,
            "period_start": self.key.period_start,
            "period_end": self.period_end,
            "release_id": self.release_id,
            "as_of": self.as_of,
            "inputs_hash": self.inputs_hash,
            "policy_hash": self.policy_hash,
            "code_version": self.code_version,
            "basis_hash": self.basis_hash,
            "statement_count": len(self.statements.rows),
            "totals": self.totals,
        }


def sums_by_currency(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Amounts added up per currency."""
    totals: dict[str, Decimal] = {}
    for row in rows:
        totals[row["currency_code"]] = totals.get(row["currency_code"], Decimal(0)) + Decimal(row["amount"])
    return {code: f"{total:f}" for code, total in sorted(totals.items())}


def placed_release(company: Company) -> Release:
    """The release in place, byte for byte as its verdict says; its incentives may be those of an earlier night.

    Raises:
        Refused: there is none.

    """
    try:
        release = current_release(company)
        if release is None:
            raise Refused(f"{company.published_dir}: nothing is published yet; run a night first")
        verify_release(release)
        verify_marts(release.marts_path, release.verdict)
    except (PublishRefused, VerdictError) as error:
        raise Refused(f"the release in place is not what was checked: {error}") from error
    if release.verdict.incentives_sha256 is None:
        raise Refused("no night's incentives have passed their checks yet")
    return release


def _night_of(release: Release) -> str | None:
    """The night whose tables a release has; a refresh within the day pays what its night paid. ``None`` for a release from
    before there were any.
    """
    try:
        with duckdb.connect(str(release.marts_path), read_only=True) as connection:
            return str(connection.execute("select night_release_id from meta.publication").fetchall()[0][0])
    except duckdb.BinderException:
        return None


def green_release(company: Company) -> Release:
    """The release in place, byte for byte as its green verdict says, with incentives of its own night.

    Raises:
        Refused: there is none.

    """
    release = placed_release(company)
    if not release.verdict.incentives_are_new and _night_of(release) != release.verdict.incentives_release_id:
        raise Refused(
            f"the gate is not green: release {release.release_id} carries the incentives of "
            f"{release.verdict.incentives_release_id}; see meta.publication for the reasons"
        )
    return release


def read_basis(company: Company, key: PeriodKey, release: Release | None = None) -> Basis:
    """Read a period from a release, by default the one in place, which must be green.

    Raises:
        Refused: the gate is not green.
        NotKnown: the release has no statement of the period.

    """
    release = release or green_release(company)
    with open_file(release.incentives_path) as connection:
        of_period = "period_type = $1 and period_start = $2"
        values = [key.period_type, key.period_start]
        statements = read_table(connection, f"select * from incentive.statements where {of_period}", values)
        if not statements.rows:
            raise NotKnown(f"there is no statement of {key}; there are statements of {_known(connection)}")
        lines = read_table(
            connection,
            "select * from incentive.statement_lines where statement_id in "
            f"(select statement_id from incentive.statements where {of_period})",
            values,
        )
        period_end, is_complete = connection.execute(
            f"select max(period_end), bool_and(is_complete) from incentive.statements where {of_period}", values
        ).fetchall()[0]
        earlier = connection.execute(
            """
            select distinct period_type, period_start from incentive.statements
            where period_end <= $2 or (period_type = $1 and period_start < $2)
            order by period_start, period_type
            """,
            values,
        ).fetchall()
        as_of, inputs_hash, policy_hash, code = connection.execute(
            "select as_of, inputs_hash, policy_hash, code_version from meta.publication"
        ).fetchall()[0]
        adjustments = _adjustments(connection, key)
        doubts = tuple(doubt for doubt in read_doubts(connection) if doubt["period"] == key)
    return Basis(
        key=key,
        period_end=period_end,
        is_complete=is_complete,
        release_id=release.release_id,
        as_of=as_of,
        inputs_hash=inputs_hash,
        policy_hash=policy_hash,
        code_version=code,
        statements=statements,
        statement_lines=lines,
        adjustments=adjustments,
        earlier=tuple(PeriodKey(*row) for row in earlier),
        doubts=doubts,
    )


def read_doubts(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The holds that the gate placed in the night of a release; one from before holds were published has none."""
    if not connection.execute("select 1 from duckdb_tables() where table_name = 'holds'").fetchall():
        return []
    rows = connection.execute(
        "select hold_id, employee_id, period_type, period_start, reason from incentive.holds "
        "where held_by = ? and is_held order by hold_id",
        [GATE],
    ).fetchall()
    return [
        {"hold_id": row[0], "employee_id": row[1], "period": PeriodKey(row[2], row[3]), "reason": row[4]}
        for row in rows
    ]


def hold_body(doubt: dict[str, Any]) -> dict[str, Any]:
    """A hold of the gate as an entry of the ledger."""
    return {
        "hold_id": doubt["hold_id"],
        "employee_id": doubt["employee_id"],
        "period_type": doubt["period"].period_type,
        "period_start": doubt["period"].period_start,
        "reason": doubt["reason"],
    }


def _adjustments(connection: duckdb.DuckDBPyConnection, key: PeriodKey) -> tuple[dict[str, Any], ...]:
    """The adjustments posted in the period, as published; a release from before adjustments were published has none."""
    if not connection.execute("select 1 from duckdb_tables() where table_name = 'adjustments'").fetchall():
        return ()
    table = read_table(
        connection,
        f"select {', '.join(_ADJUSTMENT_FIELDS)} from incentive.adjustments "
        "where period_type = $1 and posted_period_start = $2",
        [key.period_type, key.period_start],
    )
    return tuple(sorted(table.records(), key=lambda row: str(row["adjustment_id"])))


def _known(connection: duckdb.DuckDBPyConnection) -> str:
    rows = connection.execute(
        "select distinct period_type, period_start from incentive.statements order by period_start, period_type"
    ).fetchall()
    return ", ".join(str(PeriodKey(*row)) for row in rows) or "no period at all"


def closed_table(read: Any, closed: dict[str, Any], name: str) -> TableText:
    """A table of a closed period as it was published: ``statements`` or ``statement_lines``."""
    content: bytes = read(closed[f"{name}_sha256"])
    try:
        return TableText.from_bytes(content)
    except ValueError as error:
        raise LedgerDamaged(f"{name} of {closed['period_type']}:{closed['period_start']}: {error}") from error
