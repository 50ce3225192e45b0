"""Runs dbt inside this process, on one company's warehouse and seeds."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from orchestration.settings import PROJECT_DIR, Company

INCENTIVES_TAG = "incentives"


class TransformError(Exception):
    """dbt could not run at all: the project does not parse, or the warehouse cannot be opened."""


@dataclass(frozen=True)
class NodeResult:
    """What became of one seed, model or test.

    ``failures`` counts the rows a test found; ``message`` is dbt's own, empty for a success.
    """

    unique_id: str
    name: str
    kind: str
    status: str
    failures: int
    message: str
    tags: tuple[str, ...]

    @property
    def succeeded(self) -> bool:
        """A skipped node did not succeed: what did not run proves nothing."""
        return self.status in {"success", "pass"}


def dbt_environment(company: Company, project_dir: Path = PROJECT_DIR) -> dict[str, str]:
    """Environment variables that point dbt's project file and profile at the company."""
    return {
        "SCORECARD_WAREHOUSE": str(company.warehouse_path),
        # As many as DuckDB would take by itself, unless the machine is shared.
        "SCORECARD_DUCKDB_THREADS": os.environ.get("SCORECARD_DUCKDB_THREADS", str(os.cpu_count() or 1)),
        "SCORECARD_SEEDS": os.path.relpath(company.seeds_dir, project_dir),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _arguments(company: Company, *command: str, project_dir: Path = PROJECT_DIR) -> list[str]:
    return [
        *command,
        "--project-dir", str(project_dir),
        "--profiles-dir", str(project_dir),
        "--target-path", str(company.dbt_target_dir),
        "--log-path", str(company.dbt_target_dir / "logs"),
        "--log-level-file", "info",
        "--vars", json.dumps({"business_time_zone": company.time_zone, "company_currency": company.currency_code}),
        # What failed is in the results; dbt would make a line of every event, to print none.
        "--log-level", "none",
        "--no-use-colors",
    ]  # fmt: skip


def run_dbt(
    company: Company,
    *command: str,
    project_dir: Path = PROJECT_DIR,
    manifest: Any = None,
    callbacks: Sequence[Callable[[Any], None]] = (),
) -> Any:
    """One dbt command with its arguments; returns dbt's result, whether it succeeded or not. The warehouse stays open from
    node to node (``keep_open`` of the profile) and no longer than this.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    connections: Any = DuckDBConnectionManager
    with _environment(dbt_environment(company, project_dir)):
        try:
            runner = dbtRunner(manifest, callbacks=list(callbacks))
            return runner.invoke(_arguments(company, *command, project_dir=project_dir))
        finally:
            if connections._ENV is not None:
                connections._ENV.close()
            connections.close_all_connections()


def parse(company: Company) -> Path:
    """Write the company's dbt manifest and return its path.

    Raises:
        TransformError: the project does not parse.

    """
    _parse(company)
    return company.dbt_target_dir / "manifest.json"


@lru_cache(maxsize=1)
def parsed_project(company: Company, version: str) -> Any:
    """The project as dbt parsed it, once for all builds of this process on one company and ``version`` of code and seeds.

    Raises:
        TransformError: the project does not parse.

    """
    return _parse(company)


@lru_cache(maxsize=1)
def parsed_models(company: Company, version: str) -> Any:
    """The parsed project without its tests, which dbt would walk through, for a second, before it builds some models. What the
    night has parsed dbt does not parse again as long as all is as it was, the environment included: ask it of the company of
    the night, not of the day. The night's manifest stays.

    Raises:
        TransformError: the project does not parse.

    """
    project = _parse(company, "--no-write-json")
    built = {key: node for key, node in project.nodes.items() if node.resource_type in ("model", "seed")}
    return replace(project, nodes=built, unit_tests={})


def _parse(company: Company, *options: str) -> Any:
    company.dbt_target_dir.mkdir(parents=True, exist_ok=True)
    result = run_dbt(company, "parse", *options)
    if not result.success:
        raise TransformError(f"dbt cannot parse the project: {result.exception}")
    return result.result


def build(
    company: Company,
    *selection: str,
    on_event: Callable[[Any], None] | None = None,
    project_dir: Path = PROJECT_DIR,
    manifest: Any = None,
    only_models: bool = False,
) -> list[NodeResult]:
    """``dbt build`` (seeds, models, unit tests, data tests) with the selection's arguments; one result per node.
    ``project_dir`` is this project, or a kept version of it; ``manifest`` is of ``parsed_project`` or ``parsed_models``. With
    ``only_models`` dbt need not work out, for a second, which tests each model waits for.

    A failing node does not raise: it and all it skipped are in the results. dbt closes the warehouse file before this
    returns.

    Raises:
        TransformError: dbt stopped before it ran anything.

    """
    callbacks = [on_event] if on_event else []
    # The manifest is written when the project is parsed, which takes seconds for so many tests.
    command = ("run" if only_models else "build", "--no-write-json", *selection)
    result = run_dbt(company, *command, project_dir=project_dir, manifest=manifest, callbacks=callbacks)
    if result.exception is not None or not hasattr(result.result, "results"):
        raise TransformError(f"dbt did not run: {result.exception}")
    return [_node_result(node) for node in result.result.results]


def compile_models(company: Company, names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The relation and the compiled query of each named model, without running any.

    Raises:
        TransformError: the project does not compile.

    """
    result = run_dbt(company, "compile", "--select", *names)
    if not result.success:
        raise TransformError(f"dbt cannot compile the project: {result.exception}")
    nodes: list[Any] = [node.node for node in result.result.results]
    return {node.name: (node.relation_name, node.compiled_code) for node in nodes}


def _node_result(result: Any) -> NodeResult:
    node = result.node
    return NodeResult(
        unique_id=node.unique_id,
        name=node.name,
        kind=str(node.resource_type),
        status=str(result.status),
        failures=int(result.failures or 0),
        message=str(result.message or ""),
        tags=tuple(node.tags),
    )
