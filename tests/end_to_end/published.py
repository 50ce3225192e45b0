"""What a company has published, in a form that is equal exactly when the tables are."""

from __future__ import annotations

import duckdb

from orchestration.settings import Company
from orchestration.sql_text import quoted

# What tells of the run itself, not of the data.
OF_THE_RUN = {"meta.publication", "meta.check_results"}


def published(company: Company) -> dict[str, tuple[int, str]]:
    """Row count and a digest of the rows, regardless of their order, for every published table."""
    found: dict[str, tuple[int, str]] = {}
    for file in ("marts.duckdb", "incentives.duckdb"):
        with duckdb.connect(str(company.published_dir / "current" / file), read_only=True) as connection:
            for schema, table in connection.execute("select schema_name, table_name from duckdb_tables()").fetchall():
                if f"{schema}.{table}" in OF_THE_RUN:
                    continue
                row = connection.execute(
                    f"select count(*), md5(coalesce(string_agg(line, chr(10) order by line), '')) "
                    f"from (select cast(t as varchar) as line from {quoted(schema)}.{quoted(table)} as t)"
                ).fetchall()[0]
                found[f"{schema}.{table}"] = (int(row[0]), str(row[1]))
    return found
