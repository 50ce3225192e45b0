"""What another policy would have paid: computed on a copy of the warehouse that is removed again, beside what is real."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from expectations.policy import check_policy, seed_forms
from orchestration.ledger.warehouse_tables import write_ledger_tables
from orchestration.lock import night_lock
from orchestration.pay_file import open_file
from orchestration.publishing.release import current_release
from orchestration.settings import Company
from orchestration.transform import build


class SimulationError(Exception):
    """Nothing could be simulated; the message says what to do."""


@dataclass(frozen=True)
class Difference:
    """One person under one plan: what is real and what the changed policy would pay."""

    employee_id: str
    plan_code: str
    currency_code: str
    real: Decimal
    simulated: Decimal

    @property
    def change(self) -> Decimal:
        """More (positive) or less under the changed policy."""
        return self.simulated - self.real


@dataclass(frozen=True)
class Simulation:
    """Everybody with a statement in the period, under either policy."""

    period_start: date
    changed_seeds: list[str]
    differences: list[Difference]

    @property
    def gainers(self) -> list[Difference]:
        """Who would be paid more, most first."""
        return sorted((d for d in self.differences if d.change > 0), key=lambda d: (-d.change, d.employee_id))

    @property
    def losers(self) -> list[Difference]:
        """Who would be paid less, most first."""
        return sorted((d for d in self.differences if d.change < 0), key=lambda d: (d.change, d.employee_id))

    def totals(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Real and simulated cost per currency."""
        sums: defaultdict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for difference in self.differences:
            sums[difference.currency_code][0] += difference.real
            sums[difference.currency_code][1] += difference.simulated
        return {currency: (real, simulated) for currency, (real, simulated) in sorted(sums.items())}


def parse_period(text: str) -> date:
    """First day of a period, from ``2026-06`` or ``2026-06-01``.

    Raises:
        SimulationError: it is neither.

    """
    if re.fullmatch(r"\d{4}-\d{2}", text):
        text += "-01"
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SimulationError(f"{text}: write the period as 2026-06, or as its first day, 2026-06-01") from error


def simulate(
    company: Company, plan_folder: Path, period_start: date, progress: Callable[[str], None] | None = None
) -> Simulation:
    """Compute the period under the company's policy with the files of ``plan_folder`` in the place of its own.

    ``plan_folder`` holds seeds by their names (``incentive_plans.csv``, or ``policy/incentive_plans.csv``).

    Raises:
        PolicyError: the changed policy must not be used.
        NightIsBusy: a night is writing the warehouse.
        SimulationError: no such folder, no seed in it, no release, or no statement in the period.

    """
    report = progress or (lambda _: None)
    release = current_release(company)
    if release is None or not company.warehouse_path.is_file():
        raise SimulationError(f"{company.published_dir}: nothing is published yet; run a night first")
    changed = _changed_seeds(plan_folder)
    company.state_dir.mkdir(parents=True, exist_ok=True)
    # Beside the warehouse: pay must not lie in a temporary folder that others may read.
    with tempfile.TemporaryDirectory(prefix="simulation-", dir=company.state_dir) as name:
        scratch = replace(company, folder=Path(name) / "company", data_dir=Path(name) / "data")
        shutil.copytree(company.seeds_dir, scratch.seeds_dir)
        for seed, path in changed.items():
            shutil.copyfile(path, scratch.seeds_dir / f"{seed}.csv")
        check_policy(scratch)
        scratch.state_dir.mkdir(parents=True)
        with night_lock(company.lock_path):
            shutil.copyfile(company.warehouse_path, scratch.warehouse_path)
        connection = duckdb.connect(str(scratch.warehouse_path))
        try:
            # In the copy every period is open, so that a closed one can be tried out as well.
            write_ledger_tables(scratch, connection)
        finally:
            connection.close()
        report(f"computing with {', '.join(f'{seed}.csv' for seed in changed)}")
        selection = [f"{seed.split('/')[1]}+" for seed in changed] + ["int_periods_judged+"]
        failed = [
            f"{result.name}: {result.message}"
            for result in build(scratch, "--select", *selection, "--resource-type", "seed", "--resource-type", "model")
            if not result.succeeded
        ]
        if failed:
            raise SimulationError(f"the changed policy cannot be computed: {'; '.join(failed[:3])}")
        real = _statements(release.incentives_path, period_start)
        simulated = _statements(scratch.warehouse_path, period_start)
    if not real and not simulated:
        raise SimulationError(
            f"no statement begins on {period_start}, neither under the real policy nor the changed one"
        )
    return Simulation(
        period_start,
        [f"{seed}.csv" for seed in changed],
        [
            Difference(*key, real.get(key, Decimal(0)), simulated.get(key, Decimal(0)))
            for key in sorted(real.keys() | simulated.keys())
        ],
    )


def _changed_seeds(folder: Path) -> dict[str, Path]:
    """Seeds in the folder, by their place below ``seeds/``."""
    if not folder.is_dir():
        raise SimulationError(f"{folder}: no such folder; it holds the changed seeds")
    known = {form.name: form.path for form in seed_forms()}
    found = {}
    for path in sorted(folder.rglob("*.csv")):
        if path.stem not in known:
            raise SimulationError(f"{path}: there is no seed of this name; known are {', '.join(sorted(known))}")
        found[known[path.stem]] = path
    if not found:
        raise SimulationError(f"{folder}: no seed in it (for example incentive_plans.csv)")
    return found


def _statements(path: Path, period_start: date) -> dict[tuple[str, str, str], Decimal]:
    with open_file(path) as connection:
        rows = connection.execute(
            "select employee_id, plan_code, currency_code, sum(amount) from incentive.statements where period_start = ? "
            "group by all",
            [period_start],
        ).fetchall()
    return {(employee, plan, currency): amount for employee, plan, currency, amount in rows}
