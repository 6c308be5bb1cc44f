"""The tables that the load writes: `raw` and `past` from the source registry, `ops` as declared
here.

Tables are created when missing and widened when the registry gains a column; each such step is
recorded in ops.migrations. What needs more than that is a step of warehouse.migrations.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from ingest.registry import SOURCES
from ingest.stream import Stream, Type, raw_table
from warehouse.connection import transaction
from warehouse.errors import SchemaMismatch
from warehouse.migrations import migrate

SQL_TYPES: Mapping[Type, str] = {
    "text": "VARCHAR",
    "bigint": "BIGINT",
    "decimal": "DECIMAL(18,6)",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "json": "VARCHAR",
}

# Where a row came from; beside the stream's own columns in every raw table.
ORIGIN: Mapping[str, str] = {
    "_account": "VARCHAR",
    "_batch_id": "VARCHAR",
    "_sequence": "BIGINT",
    "_line": "BIGINT",
    "_call_id": "VARCHAR",
    "_is_deleted": "BOOLEAN",
}

# Beside the key and the remembered columns in every table of `past`: where the row as it was came
# from, whether it was there at all, and the first night that saw it otherwise.
REMEMBERED: Mapping[str, str] = {
    "_account": "VARCHAR",
    "_batch_id": "VARCHAR",
    "_line": "BIGINT",
    "_is_deleted": "BOOLEAN",
    "_was_there": "BOOLEAN",
    "_until": "DATE",
}

_BATCH: Mapping[str, str] = {"source": "VARCHAR", "account": "VARCHAR", "stream": "VARCHAR"}

OPS: Mapping[str, Mapping[str, str]] = {
    "loaded_batches": {
        "batch_id": "VARCHAR",
        **_BATCH,
        "window_start": "DATE",
        "window_end": "DATE",
        "as_of_date": "DATE",
        "sequence": "BIGINT",
        "state": "VARCHAR",
        "rows_in": "BIGINT",
        "rows_loaded": "BIGINT",
        "rows_superseded": "BIGINT",
        "rows_quarantined": "BIGINT",
        "rows_held": "BIGINT",
    },
    "check_results": {
        **_BATCH,
        "batch_id": "VARCHAR",
        "as_of_date": "DATE",
        "window_start": "DATE",
        "window_end": "DATE",
        "check_id": "VARCHAR",
        "rule": "VARCHAR",
        "severity": "VARCHAR",
        "action": "VARCHAR",
        "state": "VARCHAR",
        "observed": "VARCHAR",
        "expected": "VARCHAR",
        "n_failed": "BIGINT",
        "n_total": "BIGINT",
        "sentence": "VARCHAR",
        "of_rows": "BOOLEAN",
    },
    "quarantined_days": {
        **_BATCH,
        "batch_id": "VARCHAR",
        "as_of_date": "DATE",
        "day": "DATE",
        "rows": "BIGINT",
    },
    "quarantine": {
        **_BATCH,
        "batch_id": "VARCHAR",
        "line": "BIGINT",
        "day": "DATE",
        "reasons": "VARCHAR[]",
        "key": "VARCHAR",
    },
    "noted": {
        **_BATCH,
        "batch_id": "VARCHAR",
        "line": "BIGINT",
        "rule": "VARCHAR",
        "day": "DATE",
    },
    "sound_again": {
        **_BATCH,
        "batch_id": "VARCHAR",
        "line": "BIGINT",
        "sound_in": "VARCHAR",
    },
    "day_totals": {
        **_BATCH,
        "batch_id": "VARCHAR",
        "as_of_date": "DATE",
        "sequence": "BIGINT",
        "day": "DATE",
        "measure": "VARCHAR",
        "amount": "DECIMAL(38,6)",
    },
    "calls": {
        "call_id": "VARCHAR",
        **_BATCH,
        "batch_id": "VARCHAR",
        "method": "VARCHAR",
        "url": "VARCHAR",
        "status": "BIGINT",
        "bytes": "BIGINT",
        "sha256": "VARCHAR",
        "first_line": "BIGINT",
        "rows": "BIGINT",
    },
    "hash_key": {"fingerprint": "VARCHAR"},
    "stream_status": {
        "as_of_date": "DATE",
        "source": "VARCHAR",
        "account": "VARCHAR",
        "account_name": "VARCHAR",
        "currency": "VARCHAR",
        "time_zone": "VARCHAR",
        "stream": "VARCHAR",
        "load": "VARCHAR",
        "expected_through": "DATE",
        "loaded_through": "DATE",
        "state": "VARCHAR",
    },
}

_MIGRATIONS: Mapping[str, str] = {
    "number": "BIGINT",
    "statement": "VARCHAR",
    "applied_at": "TIMESTAMP WITH TIME ZONE",
}


def columns_of(stream: Stream) -> dict[str, str]:
    """The columns of a stream's raw table by name, with their SQL types, in order."""
    return {column.name: SQL_TYPES[column.type] for column in stream.columns} | dict(ORIGIN)


def past_columns_of(stream: Stream) -> dict[str, str]:
    """The columns of the table of what a stream's rows were before, with their SQL types."""
    names = (*stream.key, *stream.remembered)
    return {name: SQL_TYPES[stream.column(name).type] for name in names} | dict(REMEMBERED)


def declared_tables() -> dict[tuple[str, str], dict[str, str]]:
    """Every table that must exist: (schema, name) to its columns."""
    streams = [
        (raw_table(source.name, stream.name), stream)
        for source in SOURCES.values()
        for stream in source.streams.values()
    ]
    raw = {("raw", name): columns_of(stream) for name, stream in streams}
    past = {
        ("past", name): past_columns_of(stream) for name, stream in streams if stream.remembered
    }
    return raw | past | {("ops", name): dict(columns) for name, columns in OPS.items()}


def ensure_tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Create what is missing and return the statements that were needed, oldest first.

    A warehouse of an older format is brought up first. Raises SchemaMismatch where that cannot be
    done, where a column has another type, or is no longer declared; NewerWarehouse.
    """
    with transaction(connection):
        migrate(connection)
        connection.execute("create schema if not exists raw")
        connection.execute("create schema if not exists past")
        connection.execute("create schema if not exists ops")
        connection.execute(_create("ops", "migrations", _MIGRATIONS, "if not exists "))
        statements = _missing(_existing(connection))
        for statement in statements:
            connection.execute(statement)
            connection.execute(
                "insert into ops.migrations"
                " select coalesce(max(number), 0) + 1, ?, now() from ops.migrations",
                [statement],
            )
    return statements


def _missing(existing: dict[tuple[str, str], dict[str, str]]) -> list[str]:
    statements = []
    for (schema, name), columns in declared_tables().items():
        present = existing.get((schema, name))
        if present is None:
            statements.append(_create(schema, name, columns))
            continue
        for column, kind in present.items():
            if columns.get(column) != kind:
                wanted = columns.get(column, "not declared any more")
                raise SchemaMismatch(
                    f"{schema}.{name}.{column} is {kind} in the warehouse and {wanted} in the"
                    " registry; rebuild it from landing: boscard replay"
                )
        for column, kind in columns.items():
            if column not in present:
                statements.append(f'alter table {schema}.{name} add column "{column}" {kind}')
    return statements


def _create(schema: str, name: str, columns: Mapping[str, str], guard: str = "") -> str:
    listed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
    return f"create table {guard}{schema}.{name} ({listed})"


def _existing(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], dict[str, str]]:
    found: dict[tuple[str, str], dict[str, str]] = {}
    rows = connection.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns()"
        " where database_name = current_database() and schema_name in ('raw', 'past', 'ops')"
        " order by schema_name, table_name, column_index"
    ).fetchall()
    for schema, table, column, kind in rows:
        found.setdefault((schema, table), {})[column] = kind
    return found
