"""Checks a company's policy before a night builds anything: every complaint names the seed and its line.

The form (columns, types, keys, references) comes from the seeds' YAML in ``models/policy``; rules about several rows are
SQL files in ``expectations/policy_rules``, each of which returns ``seed``, ``seed_line`` and ``problem``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from expectations.checks import CheckResult
from orchestration.settings import PROJECT_DIR, Company

FORMS_DIR = PROJECT_DIR / "models" / "policy"
RULES_DIR = Path(__file__).parent / "policy_rules"
# Named here beside their files: the gate demands each of them, so that it misses one whose file is gone.
POLICY_RULES = (
    "cases_are_due_for_every_answer", "curves_are_whole", "curves_have_points_to_pay_by", "cx_components_are_known",
    "cx_index_weights_sum_to_one", "fiscal_periods_adjoin", "journey_settings_are_complete", "methods_have_what_they_need",
    "ownership_shares_sum_to_one", "pay_rates_are_shares", "plans_are_complete", "plans_have_templates",
    "questions_have_thresholds", "roles_are_known", "sales_is_judged_on_both", "screens_have_their_limits",
    "targets_are_in_order", "template_weights_sum_to_one", "value_settings_are_complete", "weights_are_positive",
)  # fmt: skip
THRESHOLDS_CHECK = "policy.gate_has_its_thresholds"
CLOSED_PERIODS_CHECK = "policy.closed_periods_keep_theirs"
_MAX_DAY = "date '9999-12-31'"


class PolicyError(Exception):
    """The policy must not be used; ``problems`` has one entry per fault."""

    def __init__(self, problems: list[PolicyProblem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


@dataclass(frozen=True, order=True)
class PolicyProblem:
    """One fault of one seed. ``line`` is the line in the file, 1 being the header."""

    seed: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"seeds/{self.seed}.csv line {self.line}: {self.message}"


@dataclass(frozen=True)
class SeedColumn:
    """One column of a seed as the YAML declares it."""

    name: str
    data_type: str
    required: bool
    values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    refers_to: str | None = None


@dataclass(frozen=True)
class SeedForm:
    """The form of one seed: where it lies, its columns, and what identifies a row."""

    name: str
    folder: str
    columns: tuple[SeedColumn, ...]
    key: tuple[str, ...]
    is_dated: bool
    is_gapless: bool
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(column.name for column in self.columns))

    @property
    def path(self) -> str:
        """Path below ``seeds/``, without the ending."""
        return f"{self.folder}/{self.name}"

    @property
    def check(self) -> str:
        """Name of the check of its rows, each by itself and beside those of its key."""
        return f"{self.name}.rows_are_sound"


@cache
def seed_forms() -> tuple[SeedForm, ...]:
    """Every seed's form, from ``models/policy/_<folder>__seeds.yml``."""
    forms = []
    for path in sorted(FORMS_DIR.glob("_*__seeds.yml")):
        folder = path.name.removeprefix("_").removesuffix("__seeds.yml")
        for seed in yaml.safe_load(path.read_text(encoding="utf-8"))["seeds"]:
            forms.append(_seed_form(seed, folder))
    return tuple(forms)


def _seed_form(seed: dict[str, Any], folder: str) -> SeedForm:
    types = seed["config"]["column_types"]
    meta = seed["config"]["meta"]
    columns = []
    for column in seed["columns"]:
        rules = column["config"]["meta"]
        columns.append(
            SeedColumn(
                name=column["name"],
                data_type=types[column["name"]],
                required=rules["required"],
                values=tuple(str(value) for value in rules.get("values", ())),
                minimum=rules.get("min"),
                maximum=rules.get("max"),
                refers_to=rules.get("refers_to"),
            )
        )
    return SeedForm(
        name=seed["name"],
        folder=folder,
        columns=tuple(columns),
        key=tuple(meta["key"]),
        is_dated=meta["is_dated"],
        is_gapless=meta.get("is_gapless", False),
    )


def policy_check_names() -> set[str]:
    """Every check of the policy that must have run and passed before a night is published."""
    rules = {_rule_check(name) for name in POLICY_RULES}
    return {form.check for form in seed_forms()} | rules | {THRESHOLDS_CHECK, CLOSED_PERIODS_CHECK}


def check_policy(company: Company) -> list[CheckResult]:
    """Check every seed of the company; one result per check that ran.

    Raises:
        PolicyError: with all faults found. Rules about several rows run once every row is well formed.

    """
    connection = duckdb.connect()
    try:
        problems = [problem for form in seed_forms() for problem in _load(connection, company, form)]
        if not problems:
            problems = [problem for form in seed_forms() for problem in _check_rows(connection, form)]
        if not problems:
            _create_typed_tables(connection)
            connection.execute("create table company as select ? as currency_code", [company.currency_code])
            results = []
            for form in seed_forms():
                problems += _check_ranges(connection, form)
                rows = connection.execute(f'select count(*) from "{form.name}"').fetchall()[0][0]
                results.append(policy_result(form.check, form.name, rows))
            for path in sorted(RULES_DIR.glob("*.sql")):
                problems += _check_rule(connection, path)
                results.append(policy_result(_rule_check(path.stem)))
            problems += _check_thresholds(connection)
            results.append(policy_result(THRESHOLDS_CHECK))
    finally:
        connection.close()
    if problems:
        raise PolicyError(sorted(set(problems)))
    return results


def policy_result(check: str, table: str = "policy", checked: int | None = None) -> CheckResult:
    """The result of a check of the policy that passed; one that does not ends the night."""
    return CheckResult(check, "marts", table, "policy", 1, checked, 0, None, None, True, "")


def _rule_check(rule: str) -> str:
    return f"policy.{rule}"


def _load(connection: duckdb.DuckDBPyConnection, company: Company, form: SeedForm) -> Iterator[PolicyProblem]:
    path = company.seeds_dir / f"{form.path}.csv"
    columns = ", ".join(f'"{name}" varchar' for name in form.names)
    connection.execute(f'create table "text_{form.name}" (seed_line bigint, {columns})')
    if not path.is_file():
        yield PolicyProblem(
            form.path, 1, f"the file is missing; a seed without rows still needs its header: {','.join(form.names)}"
        )
        return
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        yield PolicyProblem(form.path, 1, f"not UTF-8 at byte {error.start}")
        return
    reader = csv.reader(seed_lines(text), strict=True)
    try:
        header = next(reader, [])
        if tuple(header) != form.names:
            yield PolicyProblem(form.path, 1, _header_message(header, form))
            return
        rows, line = [], reader.line_num + 1
        for cells in reader:
            if len(cells) == len(form.names):
                rows.append([line, *(cell if cell != "" else None for cell in cells)])
            elif cells:
                yield PolicyProblem(form.path, line, f"{len(cells)} cells, the header has {len(form.names)}")
            line = reader.line_num + 1
    except csv.Error as error:
        yield PolicyProblem(form.path, reader.line_num, f"not readable as CSV: {error}")
        return
    if rows:
        marks = ", ".join("?" for _ in range(len(form.names) + 1))
        connection.executemany(f'insert into "text_{form.name}" values ({marks})', rows)


def seed_lines(text: str) -> Iterator[str]:
    """Lines as dbt sees them: a line separator out of a word processor is part of its cell."""
    return iter(io.StringIO(text, newline=""))


def _header_message(header: list[str], form: SeedForm) -> str:
    missing = [name for name in form.names if name not in header]
    unknown = [name for name in header if name not in form.names]
    parts = []
    if missing:
        parts.append(f"column {', '.join(missing)} is missing")
    if unknown:
        parts.append(f"column {', '.join(unknown)} is not known")
    return "; ".join(parts) or f"columns must stand in this order: {','.join(form.names)}"


def _check_rows(connection: duckdb.DuckDBPyConnection, form: SeedForm) -> Iterator[PolicyProblem]:
    """Each cell by itself: present, of its type, among the allowed values, within its range, known where it refers."""
    for column in form.columns:
        cell = f'"{column.name}"'
        typed = f"try_cast({cell} as {column.data_type})"
        rules = [(f"{cell} is not null and {typed} is null", f"is not a {column.data_type}")]
        if column.data_type.startswith("decimal"):
            rules.append(
                (
                    f"{typed} is distinct from try_cast({cell} as decimal(38, 18))",
                    f"has more digits than {column.data_type}",
                )
            )
        if column.required:
            rules.append((f"{cell} is null", "is empty and must not be"))
        if column.values:
            allowed = ", ".join(f"'{value}'" for value in column.values)
            rules.append((f"{cell} not in ({allowed})", f"is not one of {', '.join(column.values)}"))
        if column.minimum is not None:
            rules.append((f"{typed} < {column.minimum}", f"is below {column.minimum}"))
        if column.maximum is not None:
            rules.append((f"{typed} > {column.maximum}", f"is above {column.maximum}"))
        if column.refers_to:
            seed, target = column.refers_to.split(".")
            known = f'select "{target}" from "text_{seed}"'
            rules.append((f"{cell} is not null and {cell} not in ({known})", f"is not known in {seed}"))
        for condition, message in rules:
            query = f'select seed_line, {cell} from "text_{form.name}" where {condition}'
            for line, value in connection.execute(query).fetchall():
                shown = "" if value is None else f" {value!r}"
                yield PolicyProblem(form.path, line, f"{column.name}{shown} {message}")


def _create_typed_tables(connection: duckdb.DuckDBPyConnection) -> None:
    for form in seed_forms():
        columns = ", ".join(
            f'cast("{column.name}" as {column.data_type}) as "{column.name}"' for column in form.columns
        )
        connection.execute(
            f'create table "{form.name}" as select \'{form.path}\' as seed, seed_line, {columns} from "text_{form.name}"'
        )


def _check_ranges(connection: duckdb.DuckDBPyConnection, form: SeedForm) -> Iterator[PolicyProblem]:
    """Rows of one key: one at a time, and without a day between them where the seed must not have gaps."""
    key = ", ".join(f'"{name}"' for name in form.key)
    shown = "concat_ws('/', " + key + ")"
    if not form.is_dated:
        query = f'select max(seed_line), {shown} from "{form.name}" group by {key} having count(*) > 1'
        for line, value in connection.execute(query).fetchall():
            yield PolicyProblem(form.path, line, f"{value} stands here a second time")
        return
    query = f"""
        select seed_line, {shown}, valid_from, valid_to, previous_line, previous_to
        from (
            select
                *,
                lag(seed_line) over key_rows as previous_line,
                lag(coalesce(valid_to, {_MAX_DAY})) over key_rows as previous_to
            from "{form.name}"
            window key_rows as (partition by {key} order by valid_from, seed_line)
        ) as ranges
        where coalesce(valid_to, {_MAX_DAY}) <= valid_from or previous_to is not null
    """
    for line, value, valid_from, valid_to, previous_line, previous_to in connection.execute(query).fetchall():
        if valid_to is not None and valid_to <= valid_from:
            yield PolicyProblem(form.path, line, f"valid_to {valid_to} is not after valid_from {valid_from}")
        elif previous_to is not None and valid_from < previous_to:
            until = "without an end" if previous_to.year == 9999 else f"until {previous_to}"
            yield PolicyProblem(
                form.path, line,
                f"{value} from {valid_from} overlaps line {previous_line}, which governs {until}: end that one first",
            )  # fmt: skip
        elif previous_to is not None and valid_from > previous_to and form.is_gapless:
            yield PolicyProblem(
                form.path, line,
                f"{value} has no rule from {previous_to} to {valid_from}: line {previous_line} must end where this begins",
            )  # fmt: skip


def _check_rule(connection: duckdb.DuckDBPyConnection, path: Path) -> list[PolicyProblem]:
    faults = connection.execute(path.read_text(encoding="utf-8")).fetchall()
    return [PolicyProblem(seed, line, problem) for seed, line, problem in faults]


def _check_thresholds(connection: duckdb.DuckDBPyConnection) -> list[PolicyProblem]:
    """Every rule of the gate that compares with a threshold finds one: a night is not built to fail at its end."""
    from expectations.gate import threshold_names

    known = {name for (name,) in connection.execute("select rule_name from gate_thresholds").fetchall()}
    return [
        PolicyProblem("policy/gate_thresholds", 1, f"no row for {name}, which a rule of the gate asks for")
        for name in sorted(threshold_names() - known)
    ]
