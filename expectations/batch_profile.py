"""What a batch looks like from afar: rows a day, fields seen, columns filled, set beside before."""

# ruff: noqa: S608 - the SQL is made from our own descriptions of streams and rules

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb
import pyarrow as pa

from expectations.facts import Facts
from expectations.history import Volume
from expectations.rules import Suite
from expectations.typed import TABLE
from ingest.stream import Stream


def rows_per_day(connection: duckdb.DuckDBPyConnection, stream: Stream) -> dict[date, int]:
    """Rows that came in by day of the stream's date column (in UTC where it is a moment)."""
    if not stream.date_column:
        return {}
    found = connection.execute(
        f"select {stream.date_column}::date as day, count(*) from {TABLE} "
        "where day is not null group by day order by day"
    ).fetchall()
    return dict(found)


def quarantined_per_day(connection: duckdb.DuckDBPyConnection, stream: Stream) -> dict[date, int]:
    """Rows set aside by day, of rows whose day is known."""
    if not stream.date_column:
        return {}
    found = connection.execute(
        f"select {stream.date_column}::date as day, count(*) from {TABLE} "
        "where day is not null and _line in (select _line from set_aside) group by day order by day"
    ).fetchall()
    return dict(found)


def filled(connection: duckdb.DuckDBPyConnection, stream: Stream) -> dict[str, float]:
    """The share of rows with text in each column, whether it cast or not."""
    names = [column.name for column in stream.columns]
    shares = ", ".join(
        f"count(*) filter (where {name} is not null or list_contains(_mistyped, '{name}'))"
        for name in names
    )
    row = connection.execute(f"select count(*), {shares} from {TABLE}").fetchone()
    assert row is not None
    total, *found = row
    return {name: round(there / max(total, 1), 4) for name, there in zip(names, found, strict=True)}


def stage_volume(connection: duckdb.DuckDBPyConnection, volumes: Sequence[Volume]) -> None:
    """Create `volume`: what came and what was expected, day by day or for the whole list."""
    rows = pa.table(
        {
            "item": pa.array([one.item for one in volumes], pa.string()),
            "rows": pa.array([one.rows for one in volumes], pa.int64()),
            "expected": pa.array([one.expected for one in volumes], pa.int64()),
            "is_missing": pa.array([one.is_missing for one in volumes], pa.bool_()),
            "is_thin": pa.array([one.is_thin for one in volumes], pa.bool_()),
            "is_told": pa.array([one.is_told for one in volumes], pa.bool_()),
        }
    )
    _create(connection, "volume", rows)


def stage_told(connection: duckdb.DuckDBPyConnection, facts: Facts) -> None:
    """Create `told`: a row where the vendor said how many rows there are, with how many came."""
    manifest = facts.batch.manifest
    told = [] if manifest.rows_told is None else [manifest.rows_told]
    rows = pa.table(
        {
            "rows": pa.array([manifest.rows for _ in told], pa.int64()),
            "told": pa.array(told, pa.int64()),
        }
    )
    _create(connection, "told", rows)


def stage_fields(
    connection: duckdb.DuckDBPyConnection,
    facts: Facts,
    suite: Suite,
    *,
    seen: frozenset[str],
    fill: Mapping[str, float],
    rows: int,
) -> None:
    """Create `fields`: the paths of the sample and of the description, new ones and vanished ones.

    A declared field has vanished where no row has a value, the sample does not even have its name,
    and it is required, or in all sound answers of five rows and more, or was in nearly all rows of
    the last batch (from twenty rows on).
    """
    before = facts.history.fields()
    last = facts.history.fill()
    found: dict[str, tuple[bool, bool, bool]] = {
        path: (False, bool(before) and path not in {*before, *suite.known}, False) for path in seen
    }
    for column in facts.stream.columns:
        if column.path.startswith("@"):
            continue
        expected = (
            (column.required and rows >= 1)
            or (column.name in suite.always and rows >= 5)
            or (last.get(column.name, 0) >= 0.95 and rows >= 20)
        )
        is_there = fill.get(column.name, 0) > 0 or any(
            path == column.path or path.startswith(f"{column.path}.") for path in seen
        )
        is_new = found.get(column.path, (False, False, False))[1]
        found[column.path] = (True, is_new, expected and not is_there)
    paths = sorted(found)
    table = pa.table(
        {
            "path": pa.array(paths, pa.string()),
            "is_declared": pa.array([found[path][0] for path in paths], pa.bool_()),
            "is_new": pa.array([found[path][1] for path in paths], pa.bool_()),
            "is_vanished": pa.array([found[path][2] for path in paths], pa.bool_()),
        }
    )
    _create(connection, "fields", table)


def _create(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    connection.register("_found", rows)
    connection.execute(f"create or replace table {name} as select * from _found")
    connection.unregister("_found")
