"""The published files: a read-only DuckDB file and a Parquet folder a publication, and `current`.

A finished file is never changed under a reader: it is built aside, checked, and renamed; the links
`current.duckdb` and `current.parquet` are re-pointed last. A new connection sees the new
publication, an open one finishes on the old.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from publish.base import LAYOUT, Base, shape
from publish.content_hash import canonical
from publish.contract import DUCKDB_TYPES, PUBLICATION_ID, SCHEMA, View, quoted, quoted_text
from publish.parts import Parts, Slice, parts_hash, parts_of, rows_in, within
from publish.places import MANIFEST, Places
from publish.postgres import MismatchError


def write_files(
    places: Places,
    publication_id: str,
    views: Sequence[View],
    slices: Mapping[str, Slice],
    parts: Mapping[str, Parts],
    facts: Mapping[str, object],
    base: Base | None,
) -> None:
    """Write both files of a publication unless both are there with exactly these rows.

    `slices` are what differs from `base`, all rows without one; `parts` are of all rows; `facts` go
    to the manifest, beside each view's rows, hash and parts. Raises MismatchError when a written
    file gives other rows back.
    """
    content = {
        **facts,
        "layout": LAYOUT,
        "shape": shape(views),
        "views": {view.name: _told(parts[view.name]) for view in views},
    }
    manifest = json.dumps(content, indent=1, default=str) + "\n"
    file, folder = places.duckdb(publication_id), places.parquet(publication_id)
    if _says(folder, manifest) and (
        base.publication_id == publication_id if base else _hold(file, folder, views, parts)
    ):
        return
    places.folder.mkdir(parents=True, exist_ok=True)
    _write_duckdb(file, publication_id, views, slices, parts, base)
    _write_parquet(folder, file, views, slices, parts, base, manifest)


def read_duckdb(path: Path, views: Sequence[View]) -> dict[str, pa.Table]:
    """Canonical rows by view from a published DuckDB file."""
    with duckdb.connect(str(path.resolve()), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return {view.name: _rows(connection, _table(view), view, None) for view in views}


def read_parquet(folder: Path, view: View) -> pa.Table:
    """A view's canonical rows from a published Parquet folder."""
    return canonical(pq.read_table(folder / f"{view.name}.parquet"), view)


def _told(parts: Parts) -> dict[str, object]:
    named = {name: asdict(part) for name, part in parts.items()}
    return {"rows": rows_in(parts), "sha256": parts_hash(parts), "parts": named}


def _says(folder: Path, manifest: str) -> bool:
    with suppress(FileNotFoundError):
        return (folder / MANIFEST).read_text(encoding="utf-8") == manifest
    return False


def _hold(file: Path, folder: Path, views: Sequence[View], parts: Mapping[str, Parts]) -> bool:
    """Do both, read whole, hold what they should?"""
    with suppress(OSError, duckdb.Error, pa.ArrowException, KeyError):
        in_duckdb = read_duckdb(file, views)
        return all(
            parts_of(in_duckdb[view.name], view)
            == parts_of(read_parquet(folder, view), view)
            == parts[view.name]
            for view in views
        )
    return False


def _write_duckdb(
    path: Path,
    publication_id: str,
    views: Sequence[View],
    slices: Mapping[str, Slice],
    parts: Mapping[str, Parts],
    base: Base | None,
) -> None:
    part = path.with_name(path.name + ".part")
    for leftover in (part, part.with_name(part.name + ".wal")):
        leftover.unlink(missing_ok=True)
    if base is not None:
        shutil.copyfile(base.duckdb, part)
    with duckdb.connect(str(part)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("begin")
        if base is None:
            connection.execute(f"create schema {SCHEMA}")
            for view in views:
                connection.execute("; ".join(_definition(view)))
        for view in views:
            _put(connection, view, slices[view.name], publication_id)
        connection.execute("commit")
        connection.execute("checkpoint")
    with duckdb.connect(str(part), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for view in views:
            _check(connection, _table(view), view, slices[view.name], parts[view.name], part)
    part.chmod(0o444)
    _to_disk(part)
    part.replace(path)


def _put(
    connection: duckdb.DuckDBPyConnection, view: View, change: Slice, publication_id: str
) -> None:
    name, shown = _table(view), "*"
    if view.names_publication:
        connection.execute(f"update {name} set {PUBLICATION_ID.name} = ?", [publication_id])  # noqa: S608
        shown = f"*, {quoted_text(publication_id)}"
    if not change.is_empty:
        connection.execute(f"delete from {name} where {within(view, change.months)}")  # noqa: S608
        connection.register("rows_to_publish", change.rows)
        connection.execute(f"insert into {name} select {shown} from rows_to_publish")  # noqa: S608
        connection.unregister("rows_to_publish")


def _definition(view: View) -> list[str]:
    name = _table(view)
    columns = [f"{quoted(column.name)} {DUCKDB_TYPES[column.type]}" for column in view.shown]
    return [
        f"create table {name} ({', '.join(columns)})",
        f"comment on table {name} is {quoted_text(view.description)}",
        *(
            f"comment on column {name}.{quoted(column.name)} is {quoted_text(column.description)}"
            for column in view.shown
        ),
    ]


def _write_parquet(
    folder: Path,
    file: Path,
    views: Sequence[View],
    slices: Mapping[str, Slice],
    parts: Mapping[str, Parts],
    base: Base | None,
    manifest: str,
) -> None:
    """Copied from the finished DuckDB file; a view without a change is the base's file itself."""
    part = folder.with_name(folder.name + ".part")
    if part.exists():
        shutil.rmtree(part)
    part.mkdir()
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for view in views:
            path = part / f"{view.name}.parquet"
            if base is not None and slices[view.name].is_empty and not view.names_publication:
                _share(base.parquet / path.name, path)
                continue
            named = quoted_text(str(path))
            connection.execute(f"copy {_table(view)} to {named} (format parquet, compression zstd)")
            relation = f"read_parquet({named})"
            _check(connection, relation, view, slices[view.name], parts[view.name], part)
            _to_disk(path)
    (part / MANIFEST).write_text(manifest, encoding="utf-8")
    _to_disk(part / MANIFEST)
    if folder.exists():
        shutil.rmtree(folder)
    part.rename(folder)


def _check(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    view: View,
    change: Slice,
    parts: Parts,
    place: Path,
) -> None:
    """The months that were written give back the rows they got, and no others were lost."""
    months = parts if change.months is None else change.months
    wanted = {name: parts[name] for name in months if name in parts}
    [(count,)] = connection.execute(f"select count(*) from {relation}").fetchall()  # noqa: S608
    found = (
        {} if change.is_empty else parts_of(_rows(connection, relation, view, change.months), view)
    )
    if count != rows_in(parts) or found != wanted:
        raise MismatchError(f"{place}: {view.name} gives back other rows than were written")


def _rows(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    view: View,
    months: tuple[str, ...] | None,
) -> pa.Table:
    columns = ", ".join(map(quoted, view.column_names))
    rows = connection.execute(
        f"select {columns} from {relation} where {within(view, months)}"  # noqa: S608
    )
    return canonical(rows.to_arrow_table(), view)


def _table(view: View) -> str:
    return f"{SCHEMA}.{quoted(view.name)}"


def _share(old: Path, new: Path) -> None:
    """One file under two names; a copy where the disk knows no such thing."""
    try:
        os.link(old, new)
    except OSError:
        shutil.copy2(old, new)


def _to_disk(path: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())
