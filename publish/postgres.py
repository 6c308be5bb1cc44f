"""Publication to Postgres: stable tables that readers never see, and the views `kpi.*` over them.

All rows of a night change in one transaction that writes only rows that differ, so a rerun writes
nothing, readers wait for nothing, and people's own views and grants stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa

from publish.content_hash import canonical, table_hash
from publish.contract import POSTGRES_TYPES, SCHEMA, View, quoted
from publish.parts import Slice, within

TABLES = "published"
WRITING = 5_205_205  # the number of the writers' lock in the server


class MismatchError(Exception):
    """What a place gives back is not what was published to it; nothing was committed there."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows written to one table by one publication."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    @property
    def total(self) -> int:
        return self.inserted + self.updated + self.deleted


@dataclass(frozen=True, slots=True)
class Transaction:
    """One open transaction of the writer."""

    connection: adbc.Connection

    def wait_for_others(self) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(f"select pg_advisory_xact_lock({WRITING})")
            cursor.fetchall()

    def fetch(self, view: View, months: tuple[str, ...] | None = None) -> pa.Table:
        """Rows of a view as readers get them, canonical: all, or those of the named months."""
        columns = ", ".join(map(quoted, view.column_names))
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"select {columns} from {SCHEMA}.{quoted(view.name)}"  # noqa: S608
                f" where {within(view, months)}"
            )
            return canonical(cursor.fetch_arrow_table(), view)

    def count(self, view: View) -> int:
        with self.connection.cursor() as cursor:
            cursor.execute(f"select count(*) from {_table(view)}")  # noqa: S608
            return int(cursor.fetchall()[0][0])

    def replace(self, view: View, change: Slice) -> Changes:
        """Make the months of a slice hold exactly its rows; rows that are equal are not touched.

        Raises MismatchError when reading back gives other rows.
        """
        if change.is_empty:
            return Changes()
        table, stage = _table(view), self._stage(view, change.rows)
        same_key = " and ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in view.key)
        others = [quoted(name) for name in view.column_names if name not in view.key]
        deleted = self._run(
            f"delete from {table} as t where {within(view, change.months)}"  # noqa: S608
            f" and not exists (select from {stage} as s where {same_key})"
        )
        updated = 0
        if others:
            new = ", ".join(f"{name} = s.{name}" for name in others)
            old_row, new_row = (", ".join(f"{side}.{name}" for name in others) for side in "ts")
            updated = self._run(
                f"update {table} as t set {new} from {stage} as s "  # noqa: S608
                f"where {same_key} and row({old_row}) is distinct from row({new_row})"
            )
        changes = Changes(self._insert(view, stage), updated, deleted)
        if changes.total:
            self._run(f"analyze {table}")
        written = self.fetch(view, change.months)
        if table_hash(written, view) != table_hash(change.rows, view):
            raise MismatchError(f"{SCHEMA}.{view.name}: Postgres gives back other rows than it got")
        return changes

    def append(self, view: View, rows: pa.Table) -> int:
        """Add rows of history whose key is not there yet; the number added."""
        return self._insert(view, self._stage(view, rows)) if rows.num_rows else 0

    def _stage(self, view: View, rows: pa.Table) -> str:
        name = f"stage_{view.name}"
        self._run(f"create temp table {quoted(name)} (like {_table(view)}) on commit drop")
        with self.connection.cursor() as cursor:
            cursor.adbc_ingest(name, rows, mode="append", temporary=True)
        self._run(f"analyze {quoted(name)}")
        return quoted(name)

    def _insert(self, view: View, stage: str) -> int:
        same_key = " and ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in view.key)
        columns = ", ".join(map(quoted, view.column_names))
        key = ", ".join(f"s.{quoted(name)}" for name in view.key)
        return self._run(
            f"insert into {_table(view)} ({columns}) select {columns} from {stage} as s "  # noqa: S608
            f"where not exists (select from {_table(view)} as t where {same_key}) order by {key}"
        )

    def _run(self, statement: str) -> int:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            return int(max(cursor.rowcount, 0))


@contextmanager
def transaction(url: str) -> Iterator[Transaction]:
    """A transaction of the writer: committed at the end of the block, rolled back on any error.

    It waits for an earlier one, also for one whose process is gone and which the server still ends.
    """
    with adbc.connect(url) as connection:
        try:
            writer = Transaction(connection)
            writer.wait_for_others()
            yield writer
        except BaseException:
            connection.rollback()
            raise
        connection.commit()


def _table(view: View) -> str:
    return f"{TABLES}.{quoted(view.name)}"


def column_definitions(view: View) -> str:
    """The body of `create table` for a view's table."""
    columns = [f"{quoted(column.name)} {POSTGRES_TYPES[column.type]}" for column in view.columns]
    return ", ".join([*columns, f"primary key ({', '.join(map(quoted, view.key))})"])
