"""What is published: the dbt models that say so, with their keys, column types and descriptions.

A model says so by `config.meta: {publish_as: <view>, key: [columns]}`, and by `names_publication:
true` that its readers see the publication beside each row. Names, types and descriptions come from
dbt's manifest, so what a BI tool shows is written once, beside the SQL.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

SCHEMA = "kpi"

ColumnType = Literal["bigint", "decimal", "double", "date", "timestamptz", "varchar", "boolean"]
SPELLINGS: dict[str, ColumnType] = {
    "int64": "bigint",
    "decimal(18,6)": "decimal",
    "numeric(18,6)": "decimal",
    "float8": "double",
    "double precision": "double",
    "timestamp with time zone": "timestamptz",
    "text": "varchar",
    "string": "varchar",
    "bool": "boolean",
    **{name: name for name in get_args(ColumnType) if name != "decimal"},
}
DUCKDB_TYPES: dict[ColumnType, str] = {
    "bigint": "BIGINT",
    "decimal": "DECIMAL(18,6)",
    "double": "DOUBLE",
    "date": "DATE",
    "timestamptz": "TIMESTAMPTZ",
    "varchar": "VARCHAR",
    "boolean": "BOOLEAN",
}
POSTGRES_TYPES: dict[ColumnType, str] = {
    "bigint": "bigint",
    "decimal": "numeric(18,6)",
    "double": "double precision",
    "date": "date",
    "timestamptz": "timestamptz",
    "varchar": "text",
    "boolean": "boolean",
}


class ContractError(Exception):
    """What dbt offers cannot be published; the message names model and column, and what to do."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: ColumnType
    description: str


PUBLICATION_ID = Column(
    "publication_id",
    "varchar",
    "The publication that is read, as in kpi.publications; the same in every row, and in no hash.",
)


@dataclass(frozen=True, slots=True)
class View:
    """One published view: its name in schema `kpi`, where its rows stand, and its grain.

    `columns` are those of its rows. A view that names its publication shows one more, which is no
    part of a row: otherwise every row would differ from the publication before.
    """

    name: str
    relation: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    description: str
    names_publication: bool = False

    @property
    def shown(self) -> tuple[Column, ...]:
        return (*self.columns, PUBLICATION_ID) if self.names_publication else self.columns

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def published_views(manifest: Path) -> tuple[View, ...]:
    """The views of a dbt manifest, ordered by name.

    Raises ContractError for a model without key, for a type that BI drivers do not share, for a
    column without description, and for two models under one name.
    """
    try:
        nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    except FileNotFoundError:
        raise ContractError(
            f"{manifest}: not there; transform the night before publishing"
        ) from None
    views: dict[str, View] = {}
    for node in nodes.values():
        name = _meta(node).get("publish_as")
        if node["resource_type"] != "model" or name is None:
            continue
        if name in views:
            raise ContractError(f"{node['name']}: another model is published as {name!r}, too")
        views[name] = _view(name, node)
    return tuple(views[name] for name in sorted(views))


def quoted(name: str) -> str:
    """A name as an SQL identifier, for DuckDB and Postgres alike."""
    return '"' + name.replace('"', '""') + '"'


def quoted_text(text: str) -> str:
    """A text as an SQL literal, for DuckDB and Postgres (standard strings) alike."""
    return "'" + text.replace("'", "''") + "'"


def _meta(node: dict[str, Any]) -> dict[str, Any]:
    meta: dict[str, Any] = {**node.get("meta", {}), **node.get("config", {}).get("meta", {})}
    return meta


def _view(name: str, node: dict[str, Any]) -> View:
    model = node["name"]
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,50}", name):
        raise ContractError(f"{model}: publish_as {name!r} is not a plain lower-case name")
    columns = tuple(_column(model, column) for column in node["columns"].values())
    key = tuple(_meta(node).get("key", ()))
    unknown = [part for part in key if part not in {column.name for column in columns}]
    if not key or unknown:
        raise ContractError(
            f"{model}: `meta.key` must name its key columns (not columns: {unknown})"
        )
    relation = f"{quoted(node['schema'])}.{quoted(node.get('alias') or model)}"
    description = " ".join(node["description"].split())
    names_publication = bool(_meta(node).get("names_publication"))
    return View(name, relation, key, columns, description, names_publication)


def _column(model: str, column: dict[str, Any]) -> Column:
    name = column["name"]
    spelling = re.sub(r"\s*([(),])\s*", r"\1", (column.get("data_type") or "").lower().strip())
    if spelling not in SPELLINGS:
        raise ContractError(
            f"{model}.{name}: type {spelling!r} is not published; cast to one of "
            f"{', '.join(sorted(DUCKDB_TYPES.values())).lower()}"
        )
    description = " ".join((column.get("description") or "").split())
    if not description:
        raise ContractError(
            f"{model}.{name}: describe it; readers see the description as its comment"
        )
    return Column(name, SPELLINGS[spelling], description)
