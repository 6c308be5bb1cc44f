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
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from publish.content_hash import canonical, table_hash
from publish.contract import DUCKDB_TYPES, PUBLICATION_ID, SCHEMA, View, quoted, quoted_text
from publish.postgres import MismatchError

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files of publications lie."""

    folder: Path

    def duckdb(self, publication_id: str) -> Path:
        return self.folder / f"marts_{publication_id}.duckdb"

    def parquet(self, publication_id: str) -> Path:
        return self.folder / f"marts_{publication_id}.parquet"

    @property
    def current_duckdb(self) -> Path:
        return self.folder / "current.duckdb"

    @property
    def current_parquet(self) -> Path:
        return self.folder / "current.parquet"


def write_files(
    places: Places,
    publication_id: str,
    views: Sequence[View],
    tables: Mapping[str, pa.Table],
    facts: Mapping[str, object],
) -> None:
    """Write both files of a publication unless both are there with exactly these rows.

    `tables` are canonical rows by view; `facts` go to the manifest, beside each view's rows and
    hash. Raises MismatchError when a written file gives other rows back.
    """
    hashes = {view.name: table_hash(tables[view.name], view) for view in views}
    content = {
        **facts,
        "views": {
            view.name: {"rows": tables[view.name].num_rows, "sha256": hashes[view.name]}
            for view in views
        },
    }
    manifest = json.dumps(content, indent=2, default=str) + "\n"
    if _is_complete(places, publication_id, manifest):
        return
    places.folder.mkdir(parents=True, exist_ok=True)
    shown = {view.name: _shown(view, tables[view.name], publication_id) for view in views}
    _write_duckdb(places.duckdb(publication_id), views, shown, hashes)
    _write_parquet(places.parquet(publication_id), views, shown, hashes, manifest)


def point_current(places: Places, publication_id: str) -> None:
    """Re-point both links, each in one step."""
    for link, target in (
        (places.current_parquet, places.parquet(publication_id)),
        (places.current_duckdb, places.duckdb(publication_id)),
    ):
        aside = link.with_name(f".{link.name}.new")
        aside.unlink(missing_ok=True)
        aside.symlink_to(target.name)
        aside.replace(link)


def current_id(places: Places) -> str | None:
    """The publication that `current.duckdb` points at."""
    try:
        return places.current_duckdb.readlink().name.removeprefix("marts_").removesuffix(".duckdb")
    except FileNotFoundError:
        return None


def prune(places: Places, newest_first: Sequence[str], keep: int) -> list[str]:
    """Remove the files of all but the `keep` newest publications, never the current ones."""
    kept = {*list(dict.fromkeys(newest_first))[:keep], current_id(places)}
    removed = []
    for path in sorted(places.folder.glob("marts_*")):
        publication_id = path.name.removeprefix("marts_").partition(".")[0]
        if publication_id in kept and path.suffix != ".part":
            continue
        removed.append(path.name)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return removed


def read_duckdb(path: Path, views: Sequence[View]) -> dict[str, pa.Table]:
    """Canonical rows by view from a published DuckDB file."""
    with duckdb.connect(str(path.resolve()), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return {view.name: canonical(_selected(connection, view), view) for view in views}


def read_parquet(folder: Path, view: View) -> pa.Table:
    """A view's canonical rows from a published Parquet folder."""
    return canonical(pq.read_table(folder / f"{view.name}.parquet"), view)


def _shown(view: View, table: pa.Table, publication_id: str) -> pa.Table:
    """A view's rows as its readers see them."""
    if not view.names_publication:
        return table
    named = pa.DictionaryArray.from_arrays(
        pa.array([0] * table.num_rows, pa.int32()), [publication_id]
    )
    return table.append_column(PUBLICATION_ID.name, named)


def _selected(connection: duckdb.DuckDBPyConnection, view: View) -> pa.Table:
    columns = ", ".join(map(quoted, view.column_names))
    rows = connection.execute(f"select {columns} from {SCHEMA}.{quoted(view.name)}")  # noqa: S608
    return rows.to_arrow_table()


def _is_complete(places: Places, publication_id: str, manifest: str) -> bool:
    with suppress(FileNotFoundError):
        known = (places.parquet(publication_id) / MANIFEST).read_text(encoding="utf-8")
        return known == manifest and places.duckdb(publication_id).exists()
    return False


def _write_duckdb(
    path: Path, views: Sequence[View], tables: Mapping[str, pa.Table], hashes: Mapping[str, str]
) -> None:
    part = path.with_name(path.name + ".part")
    for leftover in (part, part.with_name(part.name + ".wal")):
        leftover.unlink(missing_ok=True)
    with duckdb.connect(str(part)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("begin")
        connection.execute(f"create schema {SCHEMA}")
        for view in views:
            connection.execute("; ".join(_definition(view)))
            connection.register("rows_to_publish", tables[view.name])
            connection.execute(
                f"insert into {SCHEMA}.{quoted(view.name)} select * from rows_to_publish"  # noqa: S608
            )
            connection.unregister("rows_to_publish")
        connection.execute("commit")
        connection.execute("checkpoint")
    written = read_duckdb(part, views)
    for view in views:
        if table_hash(written[view.name], view) != hashes[view.name]:
            raise MismatchError(f"{part}: {view.name} gives back other rows than were written")
    part.chmod(0o444)
    _to_disk(part)
    part.replace(path)


def _definition(view: View) -> list[str]:
    name = f"{SCHEMA}.{quoted(view.name)}"
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
    views: Sequence[View],
    tables: Mapping[str, pa.Table],
    hashes: Mapping[str, str],
    manifest: str,
) -> None:
    part = folder.with_name(folder.name + ".part")
    if part.exists():
        shutil.rmtree(part)
    part.mkdir()
    for view in views:
        pq.write_table(tables[view.name], part / f"{view.name}.parquet", compression="zstd")
        if table_hash(read_parquet(part, view), view) != hashes[view.name]:
            raise MismatchError(f"{part}: {view.name} gives back other rows than were written")
        _to_disk(part / f"{view.name}.parquet")
    (part / MANIFEST).write_text(manifest, encoding="utf-8")
    _to_disk(part / MANIFEST)
    if folder.exists():
        shutil.rmtree(folder)
    part.rename(folder)


def _to_disk(path: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())
