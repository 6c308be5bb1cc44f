"""The publication that stands, as the base of the next one: what did not change is not read again.

Its DuckDB file is compared with the marts month by month each night; its manifest says what they
hash to. Anything unclear about it, and there is no base: then all is read, written and checked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from publish.content_hash import NotCanonicalError
from publish.contract import DUCKDB_TYPES, SCHEMA, View, quoted, quoted_text
from publish.history import HISTORY, PUBLICATIONS
from publish.parts import Part, Parts, dated_by, month, rows_in
from publish.places import MANIFEST, Places, current_id

LAYOUT = 1  # of the manifest and of both kinds of files; another one is no base


@dataclass(frozen=True, slots=True)
class Base:
    """A publication's files, and the parts of each of its views, history included."""

    publication_id: str
    content_hash: str
    parts: Mapping[str, Parts]
    duckdb: Path
    parquet: Path

    def rows(self, view: View) -> int:
        return rows_in(self.parts[view.name])


def read_base(places: Places, views: Sequence[View]) -> Base | None:
    """The current publication, where its files are whole and of the shape that is offered now."""
    publication_id = current_id(places)
    if publication_id is None:
        return None
    folder = places.parquet(publication_id)
    try:
        content: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    if content.get("layout") != LAYOUT or content.get("shape") != shape((*views, *HISTORY)):
        return None
    files = [
        places.duckdb(publication_id),
        *(folder / f"{name}.parquet" for name in content["views"]),
    ]
    if not all(file.exists() for file in files):
        return None
    if _recorded(files[0]) != content["content_hash"]:
        return None
    parts = {
        name: {part: Part(**told) for part, told in view["parts"].items()}
        for name, view in content["views"].items()
    }
    return Base(publication_id, content["content_hash"], parts, files[0], folder)


def _recorded(file: Path) -> str | None:
    """The content hash that a DuckDB file names as its own.

    It is another than the manifest's where a night was published anew under its own id and killed
    between the two.
    """
    newest = f"select content_hash from {SCHEMA}.{PUBLICATIONS.name} order by sequence desc limit 1"  # noqa: S608
    with suppress(duckdb.Error), duckdb.connect(str(file), read_only=True) as connection:
        found = connection.execute(newest).fetchone()
        return found[0] if found else None
    return None


def shape(views: Sequence[View]) -> str:
    """A digest of names, keys, columns and descriptions: what a file says besides its rows."""
    lines = [
        f"{view.name} {view.key} {view.columns} {view.description} {view.names_publication}"
        for view in sorted(views, key=lambda view: view.name)
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def changed_months(warehouse: duckdb.DuckDBPyConnection, view: View) -> tuple[str, ...]:
    """The parts of a view whose rows are others in the marts than in the base's DuckDB file.

    `warehouse` has the base attached (`attach`). A part is known by how many rows it has and by the
    sum of their 64-bit hashes, so neither side is sorted; upkeep compares value by value. Raises
    NotCanonicalError where the date that rows are parted by is null.
    """
    sides = (view.relation, f"base.{SCHEMA}.{quoted(view.name)}")
    marts, published = (_parts(view, relation) for relation in sides)
    found = warehouse.execute(
        f"""
        select month
        from ({marts}) as marts
        full join ({published}) as published using (month)
        where (marts.n, marts.digest) is distinct from (published.n, published.digest)
        order by month
        """  # noqa: S608
    ).fetchall()
    months = tuple(name for (name,) in found)
    if None in months:
        raise NotCanonicalError(f"{view.name}.{dated_by(view)}: nulls in a key column")
    return months


def _parts(view: View, relation: str) -> str:
    """SQL: each part of a view with its rows' number and digest, of columns in the view's types."""
    columns = ", ".join(
        f"cast({quoted(column.name)} as {DUCKDB_TYPES[column.type]})" for column in view.columns
    )
    return (
        f"select {month(view)} as month, count(*) as n,"  # noqa: S608
        f" sum(cast(hash(hash({columns})) as hugeint)) as digest from {relation} group by all"
    )


def attach(warehouse: duckdb.DuckDBPyConnection, base: Base) -> None:
    warehouse.execute(f"attach {quoted_text(str(base.duckdb))} as base (read_only)")
