"""What the load records of each batch in schema `ops`: verdict, checks, quarantine and calls."""

# ruff: noqa: S608 - the tables in the statements are named in this module

from __future__ import annotations

from datetime import date

import duckdb

from expectations.split import key_json
from expectations.verdict import Verdict
from ingest.batch import CALLS, NOTED, QUARANTINE, VERDICT, Batch
from ingest.registry import SOURCES
from ingest.stream import raw_table
from warehouse.day_totals import record_day_totals

_RESULT = (
    "struct(check_id varchar, rule varchar, severity varchar, action varchar, state varchar,"
    " observed json, expected json, n_failed bigint, n_total bigint, sentence varchar,"
    " of_rows boolean)[]"
)
_TABLES = (
    "loaded_batches",
    "check_results",
    "quarantined_days",
    "quarantine",
    "noted",
    "sound_again",
    "day_totals",
    "calls",
)
_CALL = (
    "{'call_id': 'varchar', 'method': 'varchar', 'url': 'varchar', 'status': 'bigint',"
    " 'bytes': 'bigint', 'sha256': 'varchar', 'first_line': 'bigint', 'rows': 'bigint'}"
)


def record_batch(connection: duckdb.DuckDBPyConnection, batch: Batch, verdict: Verdict) -> None:
    """Write what is known about a batch, in place of an earlier verdict of the same batch.

    The batch's rows are in their raw table by now.
    """
    manifest = batch.manifest
    identity = [manifest.source, manifest.account, manifest.stream]
    of_batch = "where source = ? and account = ? and stream = ? and batch_id = ?"
    is_recorded = connection.execute(
        f"select 1 from ops.loaded_batches {of_batch}", [*identity, manifest.batch_id]
    ).fetchall()
    for table in _TABLES if is_recorded else ():
        connection.execute(
            f"delete from ops.{table} {of_batch}", [*identity, manifest.batch_id]
        ).fetchall()
    window = manifest.window
    days: list[date | None] = [window.start, window.end] if window else [None, None]
    connection.execute(
        "insert into ops.loaded_batches values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            manifest.batch_id,
            *identity,
            *days,
            manifest.as_of_date,
            manifest.sequence,
            verdict.state,
            verdict.rows_in,
            verdict.rows_loaded,
            verdict.rows_superseded,
            verdict.rows_quarantined,
            verdict.rows_held,
        ],
    ).fetchall()
    connection.execute(
        f"""
        insert into ops.check_results
        select ?, ?, ?, ?, ?, ?, ?,
            result.check_id, result.rule, result.severity, result.action, result.state,
            result.observed ->> '$', result.expected ->> '$',
            result.n_failed, result.n_total, result.sentence, coalesce(result.of_rows, false)
        from (
            select unnest(results) as result
            from read_json(?, format = 'auto', columns = {{'results': '{_RESULT}'}})
        )
        order by result.check_id
        """,
        [*identity, manifest.batch_id, manifest.as_of_date, *days, str(batch.path / VERDICT)],
    ).fetchall()
    _record_quarantine(connection, batch, identity)
    _record_sound_again(connection, identity)
    _record_noted(connection, batch, identity)
    if verdict.state == "passed":
        record_day_totals(connection, batch)
    connection.execute(
        f"""
        insert into ops.calls
        select call_id, ?, ?, ?, ?, method, url, status, bytes, sha256, first_line, rows
        from read_json(?, format = 'newline_delimited', compression = 'zstd', columns = {_CALL})
        order by call_id
        """,
        [*identity, manifest.batch_id, str(batch.path / CALLS)],
    ).fetchall()


def _record_quarantine(
    connection: duckdb.DuckDBPyConnection, batch: Batch, identity: list[str]
) -> None:
    path = str(batch.path / QUARANTINE)
    manifest = batch.manifest
    connection.execute(
        "insert into ops.quarantine select ?, ?, ?, ?, _line, day, reasons, key"
        " from read_parquet(?) order by _line",
        [*identity, manifest.batch_id, path],
    ).fetchall()
    connection.execute(
        "insert into ops.quarantined_days select ?, ?, ?, ?, ?, day, count(*)"
        " from read_parquet(?) group by day order by day",
        [*identity, manifest.batch_id, manifest.as_of_date, path],
    ).fetchall()


def _record_noted(connection: duckdb.DuckDBPyConnection, batch: Batch, identity: list[str]) -> None:
    """The rows that soft checks speak against, as long as they stand in their raw table."""
    source, account, name = identity
    path = batch.path / NOTED
    if path.exists():
        connection.execute(
            "insert into ops.noted select ?, ?, ?, ?, _line, rule, day from read_parquet(?)"
            " order by rule, _line",
            [*identity, batch.manifest.batch_id, str(path)],
        ).fetchall()
    connection.execute(
        f"""
        delete from ops.noted
        where source = ? and account = ? and stream = ?
            and not exists (
                from raw.{raw_table(source, name)} as standing
                where standing._account = noted.account and standing._batch_id = noted.batch_id
                    and standing._line = noted.line and not standing._is_deleted
            )
        """,
        [source, account, name],
    ).fetchall()


def _record_sound_again(connection: duckdb.DuckDBPyConnection, identity: list[str]) -> None:
    """Which rows set aside have come again and are sound: a newer batch brought their key."""
    source, _, name = identity
    stream = SOURCES[source].streams[name]
    if stream.load not in ("changes", "responses"):
        return
    connection.execute(
        f"""
        insert into ops.sound_again
        select quarantine.source, quarantine.account, quarantine.stream,
            quarantine.batch_id, quarantine.line, sound._batch_id
        from ops.quarantine
        inner join ops.loaded_batches using (source, account, stream, batch_id)
        inner join raw.{raw_table(source, name)} as sound
            on sound._account = quarantine.account
            and sound._sequence > loaded_batches.sequence
            and {key_json(stream)} = quarantine.key
        where quarantine.source = ? and quarantine.account = ? and quarantine.stream = ?
            and not exists (
                from ops.sound_again as known
                where known.source = quarantine.source and known.account = quarantine.account
                    and known.stream = quarantine.stream
                    and known.batch_id = quarantine.batch_id and known.line = quarantine.line
            )
        order by quarantine.batch_id, quarantine.line
        """,
        identity,
    ).fetchall()
