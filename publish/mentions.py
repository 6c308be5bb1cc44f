"""Where an address still stands in what nights wrote outside landing: a search, nothing more.

Tables are read as text: Postgres, the warehouse, publications. Other files are read as they lie.
"""

# ruff: noqa: S608 - the tables in the statements are named by the databases themselves

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg

from boscard.home import Home
from publish.contract import quoted
from publish.postgres import TABLES


def in_files(home: Home, email: str) -> Iterator[str]:
    """The files below a home that name an address; not landing's, not the embedded server's, not
    what a gate at work spills."""
    for path in sorted(home.root.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        if any(map(path.is_relative_to, (home.landing, home.postgres, home.spilled))):
            continue
        if path.suffix in (".duckdb", ".parquet"):
            yield from _in_tables(path, email)
        elif email.encode() in path.read_bytes().lower():
            yield str(path)


def in_postgres(url: str, email: str) -> Iterator[str]:
    """The published tables that name an address, history included."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "select tablename::text from pg_tables where schemaname = %s order by 1", [TABLES]
        ).fetchall()
        for (table,) in tables:
            found = connection.execute(
                f"select 1 from {TABLES}.{quoted(table)} as rows"
                " where position(%s in lower(rows::text)) > 0 limit 1".encode(),
                [email],
            ).fetchone()
            if found:
                yield f"Postgres {TABLES}.{table}"


def _in_tables(path: Path, email: str) -> Iterator[str]:
    if path.suffix == ".parquet":
        with duckdb.connect() as connection:
            if _names(connection, "read_parquet($path)", email, {"path": str(path)}):
                yield str(path)
        return
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() order by all"
        ).fetchall()
        for schema, table in tables:
            if _names(connection, f"{quoted(schema)}.{quoted(table)}", email, {}):
                yield f"{path} {schema}.{table}"


def _names(
    connection: duckdb.DuckDBPyConnection, table: str, email: str, parameters: dict[str, str]
) -> bool:
    return bool(
        connection.execute(
            f"select 1 from {table} as whole"
            " where contains(lower(cast(whole as varchar)), $email) limit 1",
            {"email": email, **parameters},
        ).fetchall()
    )
