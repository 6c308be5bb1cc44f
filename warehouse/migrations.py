"""The warehouse's format: numbered steps that bring an older one up when it is opened for loading.

New tables and columns need no step (warehouse.tables adds them); what changes the meaning of rows
that are there does. Each step that was applied is a row of ops.formats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb

from warehouse.errors import NewerWarehouse, SchemaMismatch


@dataclass(frozen=True, slots=True)
class Step:
    """Brings a warehouse of format `number - 1` to `number`, within the caller's transaction."""

    number: int
    what: str
    apply: Callable[[duckdb.DuckDBPyConnection], None]


def _people_hashed(connection: duckdb.DuckDBPyConnection) -> None:
    """Clear text that was loaded must go, and sums of days of before are known by landing alone."""
    if not {"hash_key", "day_totals"} <= _tables(connection):
        raise SchemaMismatch(
            "the warehouse is of format 1, which held personal data in clear text and no sums of"
            " days; rebuild it from landing: boscard replay"
        )


def _past_kept(connection: duckdb.DuckDBPyConnection) -> None:
    """What records were on earlier nights is known by landing alone."""
    known = connection.execute(
        "select 1 from duckdb_tables()"
        " where database_name = current_database() and schema_name = 'past'"
    ).fetchall()
    if not known:
        raise SchemaMismatch(
            "the warehouse is of format 2, which kept nothing of what records were before they"
            " changed; rebuild it from landing: boscard replay"
        )


STEPS: tuple[Step, ...] = (
    Step(1, "raw and ops", lambda connection: None),
    Step(2, "personal columns are keyed hashes; sums of each batch's days", _people_hashed),
    Step(3, "what records were before a night changed them", _past_kept),
)


def migrate(connection: duckdb.DuckDBPyConnection, steps: Sequence[Step] = STEPS) -> list[Step]:
    """Apply the steps that a warehouse lacks, in order; those that were applied.

    A new warehouse is of the newest format and takes none. The caller holds the writer's lock and
    a transaction, so that a step is applied whole or not at all. Raises NewerWarehouse, and
    SchemaMismatch where a step needs more than the warehouse holds.
    """
    is_new = "loaded_batches" not in _tables(connection)
    known = format_of(connection)
    newest = steps[-1].number
    if known > newest:
        raise NewerWarehouse(
            f"the warehouse is of format {known} and this version of Boscard knows {newest}: use"
            " the version that wrote it, or rebuild it from landing with this one: boscard replay"
        )
    connection.execute("create schema if not exists ops").fetchall()
    connection.execute(
        "create table if not exists ops.formats"
        " (format bigint, what varchar, applied_at timestamp with time zone)"
    ).fetchall()
    missing = [step for step in steps if step.number > known]
    for step in missing:
        if not is_new:
            step.apply(connection)
        connection.execute(
            "insert into ops.formats values (?, ?, now())", [step.number, step.what]
        ).fetchall()
    return [] if is_new else missing


def format_of(connection: duckdb.DuckDBPyConnection) -> int:
    """0 where no format is written down: a new warehouse, or one from before there were numbers."""
    if "formats" not in _tables(connection):
        return 0
    rows = connection.execute("select max(format) from ops.formats").fetchall()
    return int(rows[0][0] or 0)


def _tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The names of the tables in schema ops."""
    rows = connection.execute(
        "select table_name from duckdb_tables()"
        " where database_name = current_database() and schema_name = 'ops'"
    ).fetchall()
    return {str(row[0]) for row in rows}
