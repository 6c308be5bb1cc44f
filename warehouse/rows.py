"""How the rows of one batch enter a raw table, by the stream's way of loading.

A batch never overwrites what a batch with a higher sequence brought, whichever was loaded first.
"""

# ruff: noqa: S608 - tables and columns in the statements are named by the source registry

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from ingest.batch import QUARANTINE, TYPED, Batch, Window
from ingest.registry import SOURCES
from ingest.stream import Stream, raw_table
from warehouse.errors import BatchBroken
from warehouse.past import remembering
from warehouse.personal import PADS, HashKey, stored
from warehouse.tables import SQL_TYPES


@dataclass(frozen=True, slots=True)
class Target:
    """A batch on its way into its raw table; `rows_loaded` is what its verdict says.

    `key` is for the hashes of personal columns.
    """

    connection: duckdb.DuckDBPyConnection
    batch: Batch
    stream: Stream
    rows_loaded: int
    key: HashKey

    @property
    def table(self) -> str:
        return f"raw.{raw_table(self.batch.manifest.source, self.stream.name)}"

    @property
    def account(self) -> str:
        return self.batch.manifest.account

    @property
    def sequence(self) -> int:
        return self.batch.manifest.sequence

    def run(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        return self.connection.execute(sql, list(parameters)).fetchall()


def load_rows(target: Target) -> None:
    """Bring the batch's typed rows into its raw table, inside the caller's transaction.

    Raises BatchBroken where the typed rows are not what the verdict or the window says.
    """
    if target.stream.load == "window":
        _replace_days(target)
        return
    _check_count(target)
    _stage(target)
    match target.stream.load:
        case "changes" | "responses":
            touched = f"exists (select 1 from incoming where {_same_key(target)})"
            with remembering(target.connection, target.batch.manifest, target.stream, touched):
                _upsert(target)
        case "snapshot" if not _has_newer(target):
            _mark_absent(target)
            _upsert(target)
            if target.stream.sweeps:
                swept = SOURCES[target.batch.manifest.source].streams[target.stream.sweeps]
                with remembering(target.connection, target.batch.manifest, swept):
                    _sweep(target, swept.name)
        case "replace" if not _has_newer(target):
            with remembering(target.connection, target.batch.manifest, target.stream):
                target.run(f"delete from {target.table} where _account = ?", target.account)
                _insert(target, "select * from incoming")
        case _:
            pass
    target.run("drop table incoming")


def _stored_rows(target: Target) -> tuple[str, dict[str, object]]:
    """The SQL for the typed rows as they are stored, without their batch, and its parameters."""
    path = str(target.batch.path / TYPED)
    present = {row[0] for row in target.run("describe select * from read_parquet(?)", path)}
    values = {
        column.name: stored(column, f'"{column.name}"') if column.name in present else "null"
        for column in target.stream.columns
    }
    columns = ", ".join(
        f'cast({values[column.name]} as {SQL_TYPES[column.type]}) as "{column.name}"'
        for column in target.stream.columns
    )
    is_archived = target.stream.load == "changes" and "is_archived" in present
    deleted = "coalesce(is_archived, false)" if is_archived else "false"
    rows = f"select {columns}, _line, _call_id, {deleted} as _is_deleted from read_parquet($path)"
    if any(column.personal for column in target.stream.columns if column.name in present):
        return f"{rows}, {PADS}", {"path": path, **target.key.pads}
    return rows, {"path": path}


def _stage(target: Target) -> None:
    """The rows as the temporary table `incoming`, for loads that look at them more than once."""
    rows, parameters = _stored_rows(target)
    target.connection.execute(
        f"create or replace temporary table incoming as {rows}", parameters
    ).fetchall()


def _check_count(target: Target) -> None:
    path = str(target.batch.path / TYPED)
    found = target.run("select count(*) from read_parquet(?)", path)[0][0]
    if found != target.rows_loaded:
        raise BatchBroken(
            f"{target.batch.folder}: {TYPED} has {found} rows, the verdict says"
            f" {target.rows_loaded}; gate this batch again"
        )


def _replace_days(target: Target) -> None:
    """Delete the window's days of this account and insert, save days that a newer batch covers."""
    window = target.batch.manifest.window
    day = f'"{target.stream.date_column}"'
    if window is None:
        raise BatchBroken(f"{target.batch.folder}: a batch of days without a window; land it again")
    _check_count(target)
    outside = target.run(
        f"select count(*) from read_parquet(?) where ({day} between ? and ?) is not true",
        str(target.batch.path / TYPED),
        window.start,
        window.end,
    )[0][0]
    if outside:
        raise BatchBroken(
            f"{target.batch.folder}: {outside} typed rows lie outside {window.start}..{window.end};"
            " gate this batch again"
        )
    replaced = f"{day} between date '{window.start}' and date '{window.end}'{_not_newer(target)}"
    target.run(f"delete from {target.table} where _account = ? and {replaced}", target.account)
    # Straight from the file, and without a join, which DuckDB does not stream in the file's order:
    # a large window in memory would double what the gate needs.
    rows, parameters = _stored_rows(target)
    rows = f"select * from ({rows}) where {replaced}"
    _insert(target, rows, parameters, is_sorted=not _goes_by_day(target, window))


def _not_newer(target: Target) -> str:
    """The SQL that leaves out days of the window that a newer batch covers."""
    newer = target.run(
        """
        select distinct window_start, window_end
        from ops.loaded_batches
        where source = ? and account = ? and stream = ? and sequence > ? and state = 'passed'
        order by all
        """,
        *_identity(target),
        target.sequence,
    )
    day = target.stream.date_column
    return "".join(
        f" and not \"{day}\" between date '{start}' and date '{end}'" for start, end in newer
    )


def _goes_by_day(target: Target, window: Window) -> bool:
    """Whether the rows of a large window lie day after day already, as most vendors send them;
    sorting it takes as much memory as the window.

    What counts is how many groups of rows one day lies in, for so many a scan of it must read. By
    the file's own statistics, the days of all groups, added up, are hardly more than the window's.
    A single group, a hundred thousand rows, is sorted at once.
    """
    days = (window.end - window.start).days + 1
    return target.run(
        """
        select count(*) > 1 and bool_and(stats_min_value is not null) and sum(
            date_diff('day', left(stats_min_value, 10)::date, left(stats_max_value, 10)::date) + 1
        ) <= 2 * (cast(? as bigint) + count(*))
        from parquet_metadata(?) where path_in_schema = ?
        """,
        days,
        str(target.batch.path / TYPED),
        target.stream.date_column,
    ) == [(True,)]


def _upsert(target: Target) -> None:
    """Replace rows of the same key, save those that a newer batch brought."""
    same_key = _same_key(target)
    target.run(
        f"delete from {target.table} as present where present._account = ?"
        f" and present._sequence <= ?"
        f" and exists (select 1 from incoming where {same_key})",
        target.account,
        target.sequence,
    )
    _insert(
        target,
        f"select * from incoming where not exists (select 1 from {target.table} as present"
        f" where present._account = $account and {same_key})",
    )


def _mark_absent(target: Target) -> None:
    """Mark what the complete list no longer names. A key whose row was set aside is still there;
    where a row was set aside whose key is not known, nothing is taken for absent."""
    aside = _quarantined_keys(target)
    if any(None in key for key in aside):
        return
    keys = ", ".join(f'"{name}"' for name in target.stream.key)
    target.run(f"create or replace temporary table kept as select {keys} from incoming")
    for key in aside:
        target.run(f"insert into kept values ({', '.join('?' for _ in key)})", *key)
    target.run(
        f"update {target.table} as present set _is_deleted = true where present._account = ?"
        f" and not present._is_deleted"
        f" and not exists (select 1 from kept as incoming where {_same_key(target)})",
        target.account,
    )
    target.run("drop table kept")


def _sweep(target: Target, swept: str) -> None:
    """Mark the records that a complete list of live ids does not name, and unmark those it does.

    One that was archived stays deleted. One made on the night's own day or later is let be: it may
    have been made, and loaded, after the list was read.
    """
    if any(None in key for key in _quarantined_keys(target)):
        return
    records = f"raw.{raw_table(target.batch.manifest.source, swept)}"
    target.run(
        f"update {records} as present set _is_deleted = coalesce(present.is_archived, false)"
        f" or not exists (select 1 from {target.table} as incoming"
        f" where incoming._account = present._account and not incoming._is_deleted"
        f" and {_same_key(target)})"
        f" where present._account = ?"
        f" and present.created_at < cast(cast(? as date) as timestamp) at time zone 'UTC'",
        target.account,
        target.batch.manifest.as_of_date,
    )


def _quarantined_keys(target: Target) -> list[tuple[object, ...]]:
    """The keys of the rows set aside; None stands for a part that is not known."""
    path = str(target.batch.path / QUARANTINE)
    texts = target.run('select distinct "key" from read_parquet(?)', path)
    keys = [json.loads(str(text)) if text else {} for (text,) in texts]
    return [tuple(key.get(name) for name in target.stream.key) for key in keys]


def _insert(
    target: Target,
    rows: str,
    parameters: Mapping[str, object] | None = None,
    *,
    is_sorted: bool = True,
) -> None:
    """Rows enter in the order of day and key, so that files keep their order in time, or, where
    they need not be sorted for that, as they come."""
    date_column = target.stream.date_column if target.stream.load == "window" else None
    order = [*([date_column] if date_column else []), *target.stream.key]
    listed = ", ".join(f'"{name}"' for name in dict.fromkeys(order))
    ordered = f" order by {listed}" if is_sorted else ""
    target.connection.execute(
        f"insert into {target.table} by name select *, $account as _account,"
        " $batch_id as _batch_id, cast($sequence as bigint) as _sequence"
        f" from ({rows}{ordered})",
        {
            "account": target.account,
            "batch_id": target.batch.manifest.batch_id,
            "sequence": target.sequence,
            **(parameters or {}),
        },
    ).fetchall()


def _same_key(target: Target) -> str:
    return " and ".join(f'present."{name}" = incoming."{name}"' for name in target.stream.key)


def _has_newer(target: Target) -> bool:
    newest = target.run(
        "select max(sequence) from ops.loaded_batches"
        " where source = ? and account = ? and stream = ? and state = 'passed'",
        *_identity(target),
    )[0][0]
    return isinstance(newest, int) and newest > target.sequence


def _identity(target: Target) -> tuple[str, str, str]:
    manifest = target.batch.manifest
    return manifest.source, manifest.account, manifest.stream
