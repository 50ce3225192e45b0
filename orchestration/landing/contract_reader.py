"""Reads the contract from the dbt source YAML, and a company's own header names on top of it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal, cast, get_args

from orchestration.landing.contract import Column, Contract, Dialect, Extract, Limits, Person, parse_data_type
from orchestration.landing.errors import ContractError
from orchestration.landing.header import header_key
from orchestration.landing.yaml_lines import Node, read_yaml
from orchestration.settings import PROJECT_DIR

SOURCES_PATTERN = "models/staging/*/_*__sources.yml"
_EXTRACT_META = {
    "mode", "key", "optional", "one_of", "delivery_order", "minimum_share_of_last", "accepted_small_files", "format", "limits",
}  # fmt: skip
_COLUMN_META = {"required", "headers", "min", "max", "values", "person"}
# What a company may say about its own systems in ``deliveries.yml``; keys, columns and modes are everybody's.
_COMPANY_META = {"delivery_order", "minimum_share_of_last", "accepted_small_files", "format", "limits"}


def read_contract(
    headers_path: Path | None = None, project_dir: Path = PROJECT_DIR, deliveries_path: Path | None = None
) -> Contract:
    """The contract of ``project_dir`` as one company's systems fulfil it.

    ``headers_path`` (a company's ``headers.yml``) adds header names, ``deliveries_path`` (its ``deliveries.yml``) says how its
    files are written and ordered where that differs from the contract.

    Raises:
        ContractError: a field is missing, unknown or wrong; two columns share a header; names file and line.

    """
    extracts: dict[tuple[str, str], Extract] = {}
    for path in sorted(project_dir.glob(SOURCES_PATTERN)):
        root = read_yaml(path, path.relative_to(project_dir))
        for source in _elements(root and root.get("sources")):
            for table in _elements(source.get("tables")):
                extract = _read_extract(_text(source, "name"), table)
                if (extract.source, extract.name) in extracts:
                    raise table.error(f"extract {extract.full_name} is defined twice")
                extracts[extract.source, extract.name] = extract
    if not extracts:
        raise ContractError(f"{project_dir / SOURCES_PATTERN}: no extract is defined")
    if headers_path is not None and headers_path.exists():
        _add_headers(extracts, headers_path)
    if deliveries_path is not None and deliveries_path.exists():
        _apply_deliveries(extracts, deliveries_path)
    for extract in extracts.values():
        _check_headers(extract)
    return Contract(extracts)


def _read_extract(source: str, table: Node) -> Extract:
    meta = table.get("config", "meta")
    if meta is None:
        raise table.error("config.meta with mode and key is missing")
    _check_known(meta, _EXTRACT_META)
    name = _text(table, "name")
    columns = tuple(_read_column(node) for node in _elements(table.get("columns")))
    by_name = {column.name: column for column in columns}
    if len(by_name) < len(columns):
        raise table.error("a column is defined twice")

    def named_columns(field: str) -> tuple[str, ...]:
        for node in _elements(meta.get(field)):
            if node.value not in by_name:
                raise node.error(f"{field} names {node.value!r}, which is no column of {source}/{name}")
        return tuple(node.value for node in _elements(meta.get(field)))

    key = named_columns("key")
    if not key:
        raise meta.error("key is missing")
    if loose := [k for k in key if not by_name[k].required]:
        raise meta.error(f"key column {loose[0]} must be required")
    extract = Extract(
        source=source,
        name=name,
        table=str(_value(table, "identifier", name)),
        mode=_mode(meta),
        key=key,
        columns=columns,
        optional=bool(_value(meta, "optional", False)),
        one_of=named_columns("one_of"),
        place=table.place,
    )
    return _with_deliveries(extract, meta)


def _with_deliveries(extract: Extract, meta: Node) -> Extract:
    """The extract with what ``meta`` says about its files; what it leaves out stays."""
    order = _value(meta, "delivery_order", extract.delivery_order)
    column = next((c for c in extract.columns if c.name == order), None)
    if column is None and order not in ("file_name_date", "arrival"):
        raise meta.error(f"delivery_order {order!r} is neither file_name_date, arrival nor a column")
    if column is not None and column.data_type.name == "boolean":
        raise meta.error(f"delivery_order {order!r} is a boolean, which orders nothing")
    if column is not None and extract.mode == "snapshot":
        raise meta.error(f"delivery_order {order!r} is a column, but a full list replaces the last one as a whole")
    share = _number(meta.get("minimum_share_of_last"))
    if share is not None and not 0 <= share <= 1:
        raise meta.error(f"minimum_share_of_last {share} does not lie between 0 and 1")
    return replace(
        extract,
        delivery_order=order,
        minimum_share_of_last=extract.minimum_share_of_last if share is None else share,
        accepted_small_files=extract.accepted_small_files
        + tuple(str(n.value) for n in _elements(meta.get("accepted_small_files"))),
        dialect=_read_dialect(meta.get("format"), extract.dialect),
        limits=_read_limits(meta.get("limits"), extract.limits),
    )


def _mode(meta: Node) -> Literal["events", "snapshot"]:
    mode = _value(meta, "mode", None)
    if mode == "events":
        return "events"
    if mode == "snapshot":
        return "snapshot"
    raise meta.error(f"mode {mode!r} is neither events nor snapshot")


def _read_column(node: Node) -> Column:
    meta = node.get("config", "meta")
    if meta is None:
        raise node.error("config.meta with required is missing")
    _check_known(meta, _COLUMN_META)
    try:
        data_type = parse_data_type(_text(node, "data_type"))
    except ValueError as error:
        raise node.error(f"data_type {error}") from error
    return Column(
        name=_text(node, "name"),
        data_type=data_type,
        required=bool(_value(meta, "required", False)),
        headers=tuple(str(n.value) for n in _elements(meta.get("headers"))),
        minimum=_number(meta.get("min")),
        maximum=_number(meta.get("max")),
        values=tuple(str(n.value) for n in _elements(meta.get("values"))),
        person=_read_person(meta),
        place=node.place,
    )


def _read_person(meta: Node) -> Person | None:
    person = _value(meta, "person", None)
    if person is not None and person not in get_args(Person):
        raise meta.error(f"person {person!r} is not one of {', '.join(get_args(Person))}")
    return cast("Person | None", person)


def _read_dialect(node: Node | None, default: Dialect) -> Dialect:
    if node is None:
        return default
    _check_known(node, set(default.__dataclass_fields__))
    encodings = tuple(str(n.value) for n in _elements(node.get("encodings"))) or default.encodings
    for encoding in encodings:
        try:
            codecs.lookup(encoding).incrementaldecoder(errors="strict").decode(b"")
            "".encode(encoding)
        except (LookupError, TypeError) as error:
            raise node.error(f"encodings names {encoding!r}, which is no text encoding") from error
    decimal, thousands = str(_value(node, "decimal", default.decimal)), _value(node, "thousands", default.thousands)
    if decimal not in (".", ",") or thousands not in (None, ".", ",", "'", " ", "_") or decimal == thousands:
        raise node.error(f"decimal {decimal!r} with thousands {thousands!r} cannot be read")
    delimiter = _value(node, "delimiter", default.delimiter)
    if delimiter is not None and not (
        isinstance(delimiter, str) and len(delimiter) == 1 and delimiter.isascii() and delimiter not in '"\r\n'
    ):
        raise node.error(f"delimiter {delimiter!r} must be one ASCII character")
    sheet = _value(node, "sheet", default.sheet)
    if sheet is not None and not isinstance(sheet, str):
        raise node.error(f"sheet {sheet!r} must be the name of a sheet, as text")
    return Dialect(
        encodings=encodings,
        delimiter=delimiter,
        decimal=decimal,
        thousands=thousands,
        date_formats=tuple(str(n.value) for n in _elements(node.get("date_formats"))) or default.date_formats,
        final_newline=bool(_value(node, "final_newline", default.final_newline)),
        sheet=sheet,
    )


def _read_limits(node: Node | None, default: Limits) -> Limits:
    if node is None:
        return default
    _check_known(node, set(default.__dataclass_fields__))
    values: dict[str, int] = {}
    for name, child in node.items():
        if not isinstance(child.value, int) or isinstance(child.value, bool) or child.value <= 0:
            raise child.error(f"limit {name} must be a positive whole number")
        values[name] = child.value
    return replace(default, **values)


def _of_company(extracts: dict[tuple[str, str], Extract], path: Path) -> Iterator[tuple[Extract, Node]]:
    """Extract and node of every ``<source>/<extract>`` in a company's file."""
    root = read_yaml(path)
    for name, node in [] if root is None else root.items():
        source, _, extract_name = name.partition("/")
        extract = extracts.get((source, extract_name))
        if extract is None:
            known = ", ".join(sorted(e.full_name for e in extracts.values()))
            raise node.error(f"{name!r} is no extract; the contract knows {known}")
        yield extract, node


def _apply_deliveries(extracts: dict[tuple[str, str], Extract], path: Path) -> None:
    for extract, node in _of_company(extracts, path):
        _check_known(node, _COMPANY_META)
        extracts[extract.source, extract.name] = _with_deliveries(extract, node)


def _add_headers(extracts: dict[tuple[str, str], Extract], path: Path) -> None:
    for extract, columns in _of_company(extracts, path):
        added: dict[str, tuple[str, ...]] = {}
        for column_name, headers in columns.items():
            if column_name not in {column.name for column in extract.columns}:
                raise headers.error(f"{column_name!r} is no column of {extract.full_name} (contract {extract.place})")
            names = [headers] if isinstance(headers.value, str) else list(headers.elements())
            for node in names:
                if not isinstance(node.value, str) or not header_key(node.value):
                    raise node.error(f"header name {node.value!r} of {extract.full_name}.{column_name} must be text")
            added[column_name] = tuple(node.value for node in names)
        extracts[extract.source, extract.name] = replace(
            extract,
            columns=tuple(replace(c, headers=c.headers + added.get(c.name, ())) for c in extract.columns),
        )


def _check_headers(extract: Extract) -> None:
    owner: dict[str, Column] = {}
    for column in extract.columns:
        for header in (column.name, *column.headers):
            other = owner.setdefault(header_key(header), column)
            if other is not column:
                raise ContractError(
                    f"{column.place}: header {header!r} of {extract.full_name}.{column.name} also names "
                    f"{other.name} ({other.place})"
                )


def _check_known(node: Node, known: set[str]) -> None:
    for name, child in node.items():
        if name not in known:
            raise child.error(f"unknown field {name!r}; known are {', '.join(sorted(known))}")


def _elements(node: Node | None) -> list[Node]:
    return [] if node is None or node.value is None else list(node.elements())


def _value(node: Node, name: str, default: Any) -> Any:
    found = node.get(name)
    return default if found is None or found.value is None else found.value


def _text(node: Node, name: str) -> str:
    found = _value(node, name, None)
    if not isinstance(found, str) or not found:
        raise node.error(f"{name} is missing")
    return found


def _number(node: Node | None) -> Decimal | None:
    if node is None or node.value is None:
        return None
    try:
        return Decimal(str(node.value))
    except InvalidOperation as error:
        raise node.error(f"{node.value!r} is not a number") from error
