"""What a home holds, less what differs between any two nights: moments, durations, process ids."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from boscard.home import Home
from expectations.verdict import read_verdict
from ingest.batch import QUARANTINE, TYPED
from ingest.landing import Landing
from publish.content_hash import canonical, content_hash
from publish.contract import SCHEMA, View, published_views, quoted
from publish.files import read_duckdb, read_parquet
from publish.history import HISTORY, PUBLICATIONS, RESTATEMENTS, Record, newest
from publish.parts import view_hash
from publish.places import MANIFEST, Places

# Postgres and dbt keep house in their own folders; a lock file may stay, for its lock does not.
OTHERS = ("postgres/data", "logs")


def files(home: Path) -> dict[str, str]:
    """Every file, folder and link by path, with its kind and mode."""
    return {
        name: stat.filemode(path.lstat().st_mode)
        for path in home.rglob("*")
        if not (name := str(path.relative_to(home))).startswith(OTHERS)
    }


def landed(home: Path) -> dict[str, Any]:
    """Every batch: manifest, calls, verdict and the rows that go on or were set aside."""
    landing = Landing(home / "landing")
    found = {}
    for batch in landing.batches():
        manifest = msgspec.to_builtins(batch.manifest)
        verdict = msgspec.to_builtins(read_verdict(batch)) or {"gated_at": None}
        calls = [msgspec.to_builtins(call) for call in landing.read_calls(batch)]
        del manifest["landed_at"], verdict["gated_at"]
        for call in calls:
            del call["milliseconds"], call["attempts"]
        place = str(batch.path.relative_to(landing.root.path))
        found[place] = (
            manifest,
            calls,
            verdict,
            hashlib.sha256(landing.read_rows(batch)).hexdigest(),
            *(_rows(batch.path / name) for name in (TYPED, QUARANTINE)),
        )
    reports = sorted(landing.root.path.glob("*/reports/*.json"))
    return found | {str(path.name): json.loads(path.read_text("utf-8")) for path in reports}


def _rows(path: Path) -> list[dict[str, Any]] | None:
    return pq.read_table(path).to_pylist() if path.exists() else None


def loaded(home: Path) -> dict[str, tuple[int, ...]]:
    """Every table of raw and ops: its number of rows and two sums over them."""
    path = Home(home).warehouse
    if not path.exists():
        return {}
    with duckdb.connect(str(path), read_only=True) as warehouse:
        names = warehouse.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
            " where schema_name in ('raw', 'past', 'ops') order by 1"
        ).fetchall()
        return {name: _digest(warehouse, name) for (name,) in names}


def _digest(warehouse: duckdb.DuckDBPyConnection, name: str) -> tuple[int, ...]:
    columns = "* exclude (applied_at)" if name in ("ops.migrations", "ops.formats") else "*"
    sums = "count(*), coalesce(sum(hash(rows)), 0), coalesce(bit_xor(hash(rows)), 0)"
    [row] = warehouse.execute(
        f"select {sums} from (select {columns} from {name}) as rows"
    ).fetchall()
    return tuple(row)


@dataclass(frozen=True, slots=True)
class Shown:
    """One publication as a reader gets it; `is_whole` when its rows give the hash it names."""

    record: Record
    restatements: tuple[tuple[Any, ...], ...]
    is_whole: bool

    @property
    def lasting(self) -> tuple[Any, ...]:
        """All that does not depend on the moment of publishing."""
        record = self.record
        return (record.sequence, record.publication_id, record.content_hash, self.restatements)


def views_of(home: Path) -> tuple[View, ...]:
    return published_views(Home(home).dbt_target / "manifest.json")


def in_postgres(url: str, views: Sequence[View]) -> Shown:
    """Within one transaction at the reader's default isolation."""
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        tables = {}
        for view in (*views, *HISTORY):
            columns = ", ".join(map(quoted, view.column_names))
            cursor.execute(f"select {columns} from {SCHEMA}.{quoted(view.name)}")
            tables[view.name] = canonical(cursor.fetch_arrow_table(), view)
    return _shown(tables, views)


def in_duckdb(home: Path, views: Sequence[View]) -> Shown:
    """From the file behind `current.duckdb`, opened once."""
    path = Places(Home(home).publications).current_duckdb
    return _shown(read_duckdb(path, (*views, *HISTORY)), views)


def in_parquet(home: Path, views: Sequence[View]) -> Shown:
    """From the folder behind `current.parquet`, found once, against its manifest too."""
    folder = Places(Home(home).publications).current_parquet.resolve()
    tables = {view.name: read_parquet(folder, view) for view in (*views, *HISTORY)}
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    shown = _shown(tables, views)
    for view in (*views, *HISTORY):
        assert manifest["views"][view.name]["sha256"] == view_hash(tables[view.name], view)
    assert manifest["publication_id"] == shown.record.publication_id
    return shown


def _shown(tables: Mapping[str, pa.Table], views: Sequence[View]) -> Shown:
    record = newest(tables[PUBLICATIONS.name])
    assert record is not None
    hashes = {view.name: view_hash(tables[view.name], view) for view in views}
    rows = tuple(tuple(row.values()) for row in tables[RESTATEMENTS.name].to_pylist())
    return Shown(record, rows, content_hash(hashes) == record.content_hash)
