"""Registers the functions on dbt's DuckDB connection (``plugins`` in ``profiles.yml``)."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb.func import ARROW, SPECIAL
from duckdb.sqltypes import BOOLEAN, DOUBLE, VARCHAR


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the functions on a connection that does not have them yet."""
    doubles = duckdb.list_type(DOUBLE)
    found = duckdb.list_type(duckdb.struct_type({"term": VARCHAR, "is_negated": BOOLEAN}))
    signatures: list[tuple[str, Any, list[Any], Any]] = [
        ("beta_quantile", _beta_quantile, [DOUBLE, DOUBLE, DOUBLE], DOUBLE),
        ("beta_tail", _beta_tail, [DOUBLE, DOUBLE, DOUBLE], DOUBLE),
        ("normal_tail", _normal_tail, [DOUBLE, DOUBLE, DOUBLE], DOUBLE),
        ("beta_rank_cut", _beta_rank_cut, [DOUBLE, doubles, doubles, doubles], DOUBLE),
        ("normal_rank_cut", _normal_rank_cut, [DOUBLE, doubles, doubles, doubles], DOUBLE),
        ("fold_text", _fold_text, [VARCHAR], VARCHAR),
        ("feedback_terms", _feedback_terms, [VARCHAR, VARCHAR], found),
    ]
    known = {row[0] for row in connection.execute("select distinct function_name from duckdb_functions()").fetchall()}
    for name, function, parameters, returned in signatures:
        if name not in known:
            connection.create_function(
                name,
                function,
                parameters,
                returned,
                type=ARROW,
                null_handling=SPECIAL,
            )


class Plugin(BasePlugin):
    """What dbt-duckdb asks for when it opens the warehouse."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Make the functions known to every statement of the run."""
        register(conn)


def _floats(column: Any) -> Any:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def _chunk(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _doubles(values: Any) -> Any:
    """NaN, which is what a null argument comes to, is null again."""
    return pa.array(values, type=pa.float64(), from_pandas=True)


def _beta_quantile(share: Any, a: Any, b: Any) -> Any:
    from orchestration.functions import posteriors

    return _doubles(posteriors.beta_quantile(_floats(share), _floats(a), _floats(b)))


def _beta_tail(value: Any, a: Any, b: Any) -> Any:
    from orchestration.functions import posteriors

    return _doubles(posteriors.beta_tail(_floats(value), _floats(a), _floats(b)))


def _normal_tail(value: Any, mean: Any, deviation: Any) -> Any:
    from orchestration.functions import posteriors

    return _doubles(posteriors.normal_tail(_floats(value), _floats(mean), _floats(deviation)))


def _beta_rank_cut(top_share: Any, a: Any, b: Any, members: Any) -> Any:
    from orchestration.functions import posteriors

    return _rank_cut(posteriors.beta_rank_cut, top_share, a, b, members)


def _normal_rank_cut(top_share: Any, mean: Any, deviation: Any, members: Any) -> Any:
    from orchestration.functions import posteriors

    return _rank_cut(posteriors.normal_rank_cut, top_share, mean, deviation, members)


def _rank_cut(function: Any, top_share: Any, *columns: Any) -> Any:
    from orchestration.functions.posteriors import in_order

    lists = [_chunk(column) for column in columns]
    sizes = np.asarray(lists[0].value_lengths().to_numpy(zero_copy_only=False), dtype=np.float64)
    sizes = np.nan_to_num(sizes).astype(np.int64)
    filled = sizes > 0
    cuts = np.full(len(sizes), np.nan)
    if filled.any():
        values = in_order(sizes[filled], *(_floats(one.flatten()) for one in lists))
        cuts[filled] = function(_floats(top_share)[filled], sizes[filled], *values)
    return _doubles(cuts)


def _fold_text(texts: Any) -> Any:
    from orchestration.functions.feedback import normalise

    return pa.array([None if text is None else normalise(text) for text in texts.to_pylist()], type=pa.string())


def _feedback_terms(texts: Any, dictionaries: Any) -> Any:
    from orchestration.functions.feedback import find_terms, read_dictionary

    rows: list[list[dict[str, object]] | None] = []
    for text, entries in zip(texts.to_pylist(), dictionaries.to_pylist(), strict=True):
        if text is None or entries is None:
            rows.append(None)
            continue
        rows.append([{"term": f.term, "is_negated": f.is_negated} for f in find_terms(text, read_dictionary(entries))])
    found = pa.list_(pa.struct([("term", pa.string()), ("is_negated", pa.bool_())]))
    return pa.array(rows, type=found)
