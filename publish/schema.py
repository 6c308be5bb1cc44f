"""The tables and views of a publication in Postgres: created once, then changed only by addition.

On a normal night nothing is to be done and no DDL runs. When there is, it waits for readers only as
long as `lock_timeout` says.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from publish.connection import enter
from publish.contract import POSTGRES_TYPES, PUBLICATION_ID, SCHEMA, View, quoted, quoted_text
from publish.history import PUBLICATIONS
from publish.login import READER
from publish.postgres import TABLES, column_definitions

LOCK_TIMEOUT = "2s"
ATTEMPTS = 3
PAUSE_SECONDS = 1.0
CURRENT = (
    f"(select {PUBLICATION_ID.name} from {TABLES}.{quoted(PUBLICATIONS.name)}"  # noqa: S608
    f" order by sequence desc limit 1) as {quoted(PUBLICATION_ID.name)}"
)


class SchemaError(Exception):
    """The published schema cannot be brought to what is offered; the message says what to do."""


@dataclass(frozen=True, slots=True)
class _Existing:
    """A table's columns with their types and its key, and the columns of the view over it."""

    columns: dict[str, str]
    key: tuple[str, ...]
    shown: tuple[str, ...]


def prepare(url: str, views: Sequence[View]) -> list[str]:
    """Create what is missing, comment and grant; the statements that were needed.

    Raises SchemaError for a change that is not an addition, for a missing right, and when a session
    keeps a lock for longer than three times two seconds; ServerRefusedError where the server lets
    nobody in.
    """
    with enter(url) as connection:
        _prepare_reader(connection)
        statements = _structure(connection, views)
        if statements:
            _run_with_patience(connection, statements)
        comments = _comments(connection, views)
        with connection.transaction():
            for statement in comments:
                connection.execute(statement)
    return [*statements, *comments]


def _prepare_reader(connection: psycopg.Connection) -> None:
    row = connection.execute(
        "select coalesce(rolconfig, '{}') from pg_roles where rolname = %s", [READER]
    ).fetchone()
    needed = []
    if row is None:
        needed.append(f"create role {READER} login")
    if row is None or "default_transaction_isolation=repeatable read" not in row[0]:
        needed.append(f"alter role {READER} set default_transaction_isolation = 'repeatable read'")
    for statement in needed:
        try:
            connection.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege:
            raise SchemaError(
                f"the publishing role may not do this; ask the server's owner to run: {statement};"
            ) from None


def _structure(connection: psycopg.Connection, views: Sequence[View]) -> list[str]:
    schemas = {
        row[0] for row in connection.execute("select nspname::text from pg_namespace").fetchall()
    }
    statements = [f"create schema {name}" for name in (TABLES, SCHEMA) if name not in schemas]
    if SCHEMA not in schemas:
        statements.append(f"grant usage on schema {SCHEMA} to {READER}")
    existing = _existing(connection)
    offered = {view.name for view in views}
    gone = sorted(set(existing) - offered)
    if gone:
        raise SchemaError(
            f"{SCHEMA}.{gone[0]} was published before and is no longer offered; views change only "
            f"by addition: offer it again, or publish the new shape as {SCHEMA}_v2"
        )
    # a view that names its publication reads the table of publications
    for view in sorted(views, key=lambda view: view.names_publication):
        statements += _statements(view, existing.get(view.name))
    return statements


def _statements(view: View, existing: _Existing | None) -> list[str]:
    table, name = f"{TABLES}.{quoted(view.name)}", f"{SCHEMA}.{quoted(view.name)}"
    if existing is None:
        shown = [column.name for column in view.shown]
        return [
            f"create table {table} ({column_definitions(view)})",
            f"create view {name} as {_select(view, shown)}",
            f"grant select on {name} to {READER}",
        ]
    offered = {column.name: POSTGRES_TYPES[column.type] for column in view.columns}
    for column, kind in existing.columns.items():
        if offered.get(column) != kind:
            now = f"is now {offered[column]}" if column in offered else "is gone"
            raise SchemaError(
                f"{SCHEMA}.{view.name}.{column} was published as {kind} and {now}; columns change "
                f"only by addition: keep it, and give the new meaning a new name"
            )
    if set(existing.key) != set(view.key):
        raise SchemaError(
            f"{SCHEMA}.{view.name}: its key was ({', '.join(existing.key)}) and is now "
            f"({', '.join(view.key)}); a new grain needs a new view"
        )
    added = [column for column in offered if column not in existing.columns]
    unseen = [column.name for column in view.shown if column.name not in existing.shown]
    if not unseen:
        return []
    return [
        *(f"alter table {table} add column {quoted(name)} {offered[name]}" for name in added),
        f"create or replace view {name} as {_select(view, [*existing.shown, *unseen])}",
    ]


def _select(view: View, shown: Sequence[str]) -> str:
    """The query behind a view; its columns in an order that only ever grows at the end."""
    named = [
        CURRENT if view.names_publication and name == PUBLICATION_ID.name else quoted(name)
        for name in shown
    ]
    return f"select {', '.join(named)} from {TABLES}.{quoted(view.name)}"  # noqa: S608


def _existing(connection: psycopg.Connection) -> dict[str, _Existing]:
    rows = connection.execute(
        """
        select c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod),
            coalesce(a.attnum = any (i.indkey), false)
        from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace
        join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        left join pg_index as i on i.indrelid = c.oid and i.indisprimary
        where n.nspname = %s and c.relkind = 'r'
        order by c.relname, a.attnum
        """,
        [TABLES],
    ).fetchall()
    shown: dict[str, tuple[str, ...]] = {}
    for view, column in connection.execute(
        """
        select table_name::text, column_name::text
        from information_schema.columns
        where table_schema = %s
        order by table_name, ordinal_position
        """,
        [SCHEMA],
    ).fetchall():
        shown[view] = (*shown.get(view, ()), column)
    found: dict[str, _Existing] = {}
    for table, column, kind, in_key in rows:
        before = found.get(table, _Existing({}, (), shown.get(table, ())))
        spelled = "timestamptz" if kind == "timestamp with time zone" else kind
        key = (*before.key, column) if in_key else before.key
        found[table] = _Existing({**before.columns, column: spelled}, key, before.shown)
    return found


def _comments(connection: psycopg.Connection, views: Sequence[View]) -> list[str]:
    rows = connection.execute(
        """
        select c.relname::text, a.attname::text, d.description
        from pg_description as d
        join pg_class as c on c.oid = d.objoid and d.classoid = 'pg_class'::regclass
        left join pg_attribute as a
            on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0
        where c.relnamespace = %s::regnamespace and c.relkind = 'v'
        """,
        [SCHEMA],
    ).fetchall()
    known = {(view, column): text for view, column, text in rows}
    statements = []
    for view in views:
        name = f"{SCHEMA}.{quoted(view.name)}"
        if known.get((view.name, None)) != view.description:
            statements.append(f"comment on view {name} is {quoted_text(view.description)}")
        statements += [
            f"comment on column {name}.{quoted(column.name)} is {quoted_text(column.description)}"
            for column in view.shown
            if known.get((view.name, column.name)) != column.description
        ]
    return statements


def _run_with_patience(connection: psycopg.Connection, statements: Sequence[str]) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with connection.transaction():
                connection.execute(sql.SQL("set local lock_timeout = {}").format(LOCK_TIMEOUT))
                for statement in statements:
                    connection.execute(statement.encode())
        except psycopg.errors.LockNotAvailable:
            if attempt == ATTEMPTS:
                raise SchemaError(
                    f"new columns wait for a session that keeps a published view open: "
                    f"{_holders(connection)}; ask its owner to end it, then publish again"
                ) from None
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _holders(connection: psycopg.Connection) -> str:
    rows = connection.execute(
        """
        select distinct a.pid, a.usename, a.application_name, a.state
        from pg_locks as l
        join pg_class as c on c.oid = l.relation
        join pg_stat_activity as a on a.pid = l.pid
        where c.relnamespace in (%s::regnamespace, %s::regnamespace) and a.pid <> pg_backend_pid()
        order by a.pid
        """,
        [SCHEMA, TABLES],
    ).fetchall()
    return "; ".join(
        f"process {pid}, {user} {application} ({state})" for pid, user, application, state in rows
    )
