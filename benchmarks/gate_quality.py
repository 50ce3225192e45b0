"""Does each seeded defect to a night of the small sample chain, runs its check, and writes ``gate_quality.md``.

``python benchmarks/gate_quality.py [folder]``: the folder holds ``warehouse.duckdb``, ``marts.duckdb`` and
``incentives.duckdb`` of a night that published; without one, a night is run first.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from expectations import gate
from expectations.checks import Scope
from orchestration.sample import write_sample
from orchestration.settings import PROJECT_DIR
from orchestration.sql_text import attach
from tests.conftest import SMALL, copy_company, run_night
from tests.expectations.test_defects_are_refused import INCENTIVES_DEFECTS, MARTS_DEFECTS, Defect, run_checks

DEFECTS: dict[Scope, tuple[Defect, ...]] = {"marts": MARTS_DEFECTS, "incentives": INCENTIVES_DEFECTS}


def night_files(folder: Path) -> Path:
    company = copy_company(PROJECT_DIR, folder / "company")
    write_sample(company.extracts_dir, SMALL)
    run = run_night(company)
    assert run.exit_code == 0, run.output
    for path in (company.warehouse_path, *(company.published_dir / "current").glob("*.duckdb")):
        shutil.copy(path, folder)
    return folder


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        source = Path(sys.argv[1]) if len(sys.argv) > 1 else night_files(Path(name))
        folder = Path(name) / "copies"
        folder.mkdir()
        for path in source.glob("*.duckdb"):
            shutil.copy(path, folder)
        shutil.copy(folder / "marts.duckdb", folder / "previous.duckdb")
        lines, refused, caught = [], 0, set()
        with gate.audited_files(folder / "previous.duckdb", warehouse=folder / "warehouse.duckdb") as connection:
            connection.execute("detach warehouse")
            for database in ("warehouse", "marts", "incentives"):
                attach(connection, folder / f"{database}.duckdb", database)
            started = time.perf_counter()
            clean = [run_checks(connection, scope) for scope in DEFECTS]
            seconds = time.perf_counter() - started
            assert all(result.passed for results in clean for result in results)
            for scope, defects in DEFECTS.items():
                for defect in defects:
                    connection.execute("begin")
                    changed = connection.execute(defect.sql).fetchall()[0][0]
                    (result,) = run_checks(connection, scope, defect.caught_by)
                    connection.execute("rollback")
                    assert "could not be" not in result.message, result.message
                    refused += not result.passed
                    caught.add(result.name)
                    stops = "the release" if scope == "marts" else "pay"
                    verdict = "refused" if not result.passed else "MISSED"
                    lines.append(f"| {defect.what} | {changed:,} | `{defect.caught_by}` | {verdict} | {stops} |")
    total = len(MARTS_DEFECTS) + len(INCENTIVES_DEFECTS)
    checks = sum(len(results) for results in clean)
    text = (
        f"""# Defects the gate refuses

`python benchmarks/gate_quality.py`, small sample chain (4 stores, six months), {os.cpu_count()} cores.

{refused} of {total} distinct defect classes are refused ({len(caught)} different checks catch them), each by the check named
beside it and because of what the check saw, not because it could not look. Undisturbed, all {checks} checks of the gate pass
({seconds:.1f} s for both scopes, Great Expectations' import included). `tests/expectations/test_defects_are_refused.py` runs
the same table with the other tests and fails when a rule has no defect.

| defect | rows changed | check that caught it | | what stops |
|---|---|---|---|---|
"""
        + "\n".join(lines)
        + "\n"
    )
    (PROJECT_DIR / "benchmarks" / "gate_quality.md").write_text(text, encoding="utf-8")
    print(f"{refused} of {total} refused")


if __name__ == "__main__":
    main()
