"""What a release from before an erasure says, told without the erased."""

from __future__ import annotations

import duckdb

from orchestration.erasure.register import Erasures
from orchestration.sql_text import literal


def renamed_relation(connection: duckdb.DuckDBPyConnection, erasures: Erasures, database: str, table: str) -> str:
    """SQL that reads ``<schema>.<table>`` of the attached database with pseudonyms for customers erased since. Only while
    an erasure is pending can such a release still be in place.
    """
    relation = f"{database}.{table}"
    if not erasures.pending:
        return relation
    found = connection.execute(
        "select 1 from duckdb_columns() where database_name = ? and schema_name || '.' || table_name = ? "
        "and column_name = 'customer_id'",
        [database, table],
    ).fetchall()
    if not found:
        return relation
    values = connection.execute(f"select distinct customer_id from {relation} where customer_id is not null").fetchall()
    names = {value: name for (value,) in values if (name := erasures.name_of(value))}
    if not names:
        return relation
    cases = " ".join(f"when {literal(value)} then {literal(name)}" for value, name in names.items())
    return f"(select * replace (case customer_id {cases} else customer_id end as customer_id) from {relation})"
