"""The warehouse file: how the pipeline opens it, and one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a warehouse for writing, in UTC; only its owner may: hashes are of people too."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = duckdb.connect(str(path))
    path.chmod(0o600)
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
