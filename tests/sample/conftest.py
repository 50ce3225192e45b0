"""One sample chain for all tests of a run, read back through the extract contract only."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from orchestration.sample import SampleSpec, SampleSummary, write_sample
from orchestration.settings import PROJECT_DIR

CHAIN = SampleSpec(scale=0.2, months=14)


@dataclass(frozen=True)
class Column:
    """A column of the contract."""

    name: str
    data_type: str
    required: bool
    headers: frozenset[str]
    values: tuple[str, ...]


@dataclass(frozen=True)
class Extract:
    """An extract of the contract."""

    name: str
    mode: str
    key: tuple[str, ...]
    columns: dict[str, Column]
    one_of: tuple[str, ...]

    def canonical(self, header: str) -> str | None:
        """The contract's name of a delivered column, if it has one."""
        return next((column.name for column in self.columns.values() if header in column.headers), None)


def header_of(path: Path) -> list[str]:
    """Column names of a csv, csv.gz or parquet file as delivered."""
    if path.suffix == ".parquet":
        return [row[0] for row in duckdb.execute(f"describe from read_parquet('{path}')").fetchall()]
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return next(csv.reader(data.decode("utf-8").splitlines()))


# Sales shared by several people are an extract that the sample chain's tills do not deliver.
NOT_DELIVERED = {"sales/credit_splits"}


def read_contract() -> dict[str, Extract]:
    contract = {}
    for path in sorted((PROJECT_DIR / "models" / "staging").glob("*/_*__sources.yml")):
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]:
            for table in source["tables"]:
                meta = table["config"]["meta"]
                columns = {}
                for column in table["columns"]:
                    column_meta = column["config"]["meta"]
                    columns[column["name"]] = Column(
                        column["name"],
                        column["data_type"],
                        column_meta["required"],
                        frozenset([column["name"], *column_meta.get("headers", [])]),
                        tuple(column_meta.get("values", [])),
                    )
                name = f"{source['name']}/{table['name']}"
                contract[name] = Extract(name, meta["mode"], tuple(meta["key"]), columns, tuple(meta.get("one_of", [])))
    return contract


@dataclass(frozen=True)
class Chain:
    """A written chain and what it says of itself."""

    spec: SampleSpec
    summary: SampleSummary
    contract: dict[str, Extract]

    @property
    def folder(self) -> Path:
        return self.summary.extracts_dir

    @cached_property
    def truth(self) -> dict[str, Any]:
        return json.loads(self.summary.truth_path.read_text(encoding="utf-8"))

    def files(self, extract: str) -> list[Path]:
        return sorted(path for path in (self.folder / extract).iterdir())

    @cached_property
    def con(self) -> duckdb.DuckDBPyConnection:
        """A table per extract (``order_lines``), all columns text under the contract's names, plus ``file``.

        ``<extract>_now`` holds the latest version of each key, without the planted bad rows.
        """
        con = duckdb.connect()
        for extract in self.contract.values():
            if extract.name in NOT_DELIVERED:
                continue
            table = extract.name.split("/")[1]
            pattern = str(self.folder / extract.name / "*")
            sample_file = self.files(extract.name)[0]
            headers = header_of(sample_file)
            if sample_file.suffix == ".parquet":
                source = f"read_parquet('{pattern}', filename = true)"
            else:
                types = ", ".join(f"'{header}': 'varchar'" for header in headers)
                source = (
                    f"read_csv('{pattern}', auto_detect = false, header = true, columns = {{{types}}}, "
                    "delim = ',', quote = '\"', escape = '\"', filename = true)"
                )
            columns = ", ".join(f'"{header}"::varchar as {extract.canonical(header)}' for header in headers)
            con.execute(
                f"create table {table} as select {columns}, filename[{len(str(self.folder)) + 2}:] as file from {source}"
            )
            key = ", ".join(extract.key)
            bad = {
                "order_lines": "store_id is null",
                "answers": "score is not null and try_cast(score as decimal) is null",
            }
            con.execute(
                f"create view {table}_now as select * from {table} where not ({bad.get(table, 'false')}) "
                f"qualify row_number() over (partition by {key} order by regexp_extract(file, '\\d{{4}}-\\d\\d-\\d\\d') desc) = 1"
            )
        return con

    def rows(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        return self.con.execute(query, parameters or None).fetchall()

    def value(self, query: str, **parameters: Any) -> Any:
        return self.rows(query, **parameters)[0][0]


@pytest.fixture(scope="session")
def contract() -> dict[str, Extract]:
    return read_contract()


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory, contract: dict[str, Extract]) -> Chain:
    folder = tmp_path_factory.mktemp("chain") / "extracts"
    return Chain(CHAIN, write_sample(folder, CHAIN), contract)
