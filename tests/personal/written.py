"""Everything that a run wrote below a home, as bytes to search: files, and what is packed in them.

Files are given as they lie on the disk; zstd, gzip, Parquet, DuckDB, SQLite and the embedded
Postgres also as the text that they hold.
"""

from __future__ import annotations

import gzip
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psycopg
import pyarrow as pa

from boscard.home import Home
from ingest.batch import QUARANTINE, ROWS, TYPED
from publish.embedded import running
from publish.login import WRITER

# In landing what the vendor sent is kept in clear text, readable by its owner alone.
VAULT = (ROWS, TYPED, QUARANTINE)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of what was written. `place` is its path below the home, and what is in it, if any."""

    place: str
    content: bytes
    is_vault: bool = False


def everything_written(home: Home) -> Iterator[Piece]:
    """All of it. The embedded Postgres is started for it, if it was ever."""
    if home.postgres.exists():
        yield from _postgres(home)
    for path in sorted(home.root.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        place = str(path.relative_to(home.root))
        is_vault = path.is_relative_to(home.landing) and path.name in VAULT
        content = path.read_bytes()
        yield Piece(place, content, is_vault)
        for inner, text in _unpacked(path, content):
            yield Piece(f"{place}{inner}", text, is_vault)


def found(pieces: Iterable[Piece], pattern: re.Pattern[bytes]) -> set[tuple[str, bytes]]:
    """Where the pattern matches, and what it matched there."""
    return {
        (piece.place, match.group())
        for piece in pieces
        for match in pattern.finditer(piece.content)
    }


def any_of(texts: set[str]) -> re.Pattern[bytes]:
    """A pattern for any of these texts."""
    return re.compile(b"|".join(re.escape(text.encode()) for text in sorted(texts)))


def _unpacked(path: Path, content: bytes) -> Iterator[tuple[str, bytes]]:
    if content.startswith(b"\x28\xb5\x2f\xfd"):
        yield "", pa.CompressedInputStream(pa.BufferReader(content), "zstd").read()
    elif content.startswith(b"\x1f\x8b"):
        yield "", gzip.decompress(content)
    elif content.startswith(b"SQLite format 3"):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            yield "", "\n".join(connection.iterdump()).encode()
    elif content.startswith(b"PAR1"):
        with duckdb.connect() as connection:
            yield "", _as_text(connection, "read_parquet(?)", [str(path)])
    elif content[8:12] == b"DUCK":
        with duckdb.connect(str(path), read_only=True) as connection:
            tables = connection.execute(
                'select format(\'"{}"."{}"\', schema_name, table_name) from duckdb_tables()'
            ).fetchall()
            for (table,) in tables:
                yield f" {table}", _as_text(connection, table)


def _as_text(
    connection: duckdb.DuckDBPyConnection, table: str, parameters: list[str] | None = None
) -> bytes:
    rows = connection.execute(f"select columns(*)::varchar from {table}", parameters).fetchall()
    return "\n".join("\t".join(cell for cell in row if cell is not None) for row in rows).encode()


def _postgres(home: Home) -> Iterator[Piece]:
    with running(home) as server, psycopg.connect(server.login(WRITER).url) as connection:
        tables = connection.execute(
            "select format('%I.%I', schemaname, tablename) from pg_tables"
            " where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        for (table,) in tables:
            with connection.cursor().copy(f"copy {table} to stdout") as copy:
                yield Piece(f"postgres {table}", b"".join(bytes(part) for part in copy))
