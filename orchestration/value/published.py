"""What later nights need of the release in place: parameters that proved themselves, and lists that were acted on."""

from __future__ import annotations

import duckdb

from orchestration.erasure.previous import renamed_relation
from orchestration.erasure.register import read_erasures
from orchestration.publishing.release import current_release
from orchestration.settings import Company
from orchestration.sql_text import attach

# Columns of the marts of the same name, which the models read as control.published_<name>.
_TABLES = {
    "parameters": (
        "value.model_parameters",
        "model_code varchar, model_segment varchar, fitted_on date, parameters_version varchar, parameter_name varchar, "
        "estimate double, centre double, standard_error double, ci_low double, ci_high double, n bigint, "
        "log_likelihood double, inputs_hash varchar, problem varchar",
    ),
    "early_actions": (
        "value.early_actions",
        "action_month date, listed_on date, customer_id varchar, action_group varchar, action_rank bigint, "
        "churn_probability decimal(18, 8), value_at_risk_amount decimal(18, 4)",
    ),
}


def keep_published_value(connection: duckdb.DuckDBPyConnection, company: Company) -> None:
    """Copy parameters and lists of the release in place into ``control``; empty tables before the first release, and
    before the first one that has them. A customer erased since is copied by the pseudonym.
    """
    erasures = read_erasures(company)
    release = current_release(company)
    if release is not None:
        attach(connection, release.marts_path, "release_in_place", "read_only")
    for name, (mart, columns) in _TABLES.items():
        connection.execute(f"create or replace table control.published_{name} ({columns})")
        schema, table = mart.split(".")
        found = connection.execute(
            "select count(*) from duckdb_tables() "
            "where database_name = 'release_in_place' and schema_name = ? and table_name = ?",
            [schema, table],
        ).fetchall()
        if found[0][0]:
            names = ", ".join(
                column.split()[0] for column in columns.replace("(18, 8)", "").replace("(18, 4)", "").split(", ")
            )
            connection.execute(
                f"insert into control.published_{name} ({names}) "
                f"select {names} from {renamed_relation(connection, erasures, 'release_in_place', mart)}"
            )
    if release is not None:
        connection.execute("detach release_in_place")
