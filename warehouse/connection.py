"""The warehouse file: how the pipeline opens it, and one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a warehouse for writing, in UTC; only its owner may: hashes are of people too."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        # Made aside: whoever is killed before its first header is written leaves no database.
        part = path.with_name(f".{path.name}.part")
        part.unlink(missing_ok=True)
        duckdb.connect(str(part)).close()
        part.chmod(0o600)
        part.replace(path)
    connection = duckdb.connect(str(path))
    connection.execute("set TimeZone = 'UTC'").fetchall()
    return connection


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of it, or nothing."""
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
