"""A person taken out of the raw tables: what is hashed of them becomes null, row by row."""

# ruff: noqa: S608 - tables and columns in the statements are named by the source registry

from __future__ import annotations

import re
from collections.abc import Collection

import duckdb

from expectations.erasure import FORGOTTEN
from ingest.batch import Manifest
from ingest.registry import SOURCES
from ingest.stream import Column, Stream, raw_table


def erase_rows(
    connection: duckdb.DuckDBPyConnection, batch: Manifest, lines: Collection[int], email: str
) -> int:
    """Erase the rows that these lines of a batch brought; how many of them stand in the warehouse.

    What such rows were before a night changed them is erased too, and not counted. The caller holds
    the writer's lock. Erasing again changes nothing.
    """
    stream = SOURCES[batch.source].streams[batch.stream]
    table = raw_table(batch.source, stream.name)
    _erase(connection, "past", table, stream, batch, lines, email)
    return _erase(connection, "raw", table, stream, batch, lines, email)


def _erase(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    stream: Stream,
    batch: Manifest,
    lines: Collection[int],
    email: str,
) -> int:
    known = connection.execute(
        "select column_name from duckdb_columns() where schema_name = ? and table_name = ?",
        [schema, table],
    ).fetchall()
    there = {name for (name,) in known}
    changes = ", ".join(
        f'"{column.name}" = {_erased(column)}'
        for column in stream.columns
        if column.type in ("text", "json") and column.name in there
    )
    if not changes:
        return 0
    found = connection.execute(
        f"update {schema}.{table} set {changes}"
        " where _account = $account and _batch_id = $batch and list_contains($lines, _line)",
        {
            "account": batch.account,
            "batch": batch.batch_id,
            "lines": sorted(lines),
            "address": f"(?i){re.escape(email)}",
        },
    ).fetchall()
    return int(found[0][0])


def _erased(column: Column) -> str:
    if column.personal is not None:
        return "null"
    return f"""regexp_replace("{column.name}", $address, '{FORGOTTEN}', 'g')"""
