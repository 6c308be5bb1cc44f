"""A SQLAlchemy dialect for Great Expectations on DuckDB that buffers results as a statement ends.

Great Expectations closes its connection before it fetches, and DuckDB's cursor is empty by then
(great_expectations #10738, #11579). Only public names of SQLAlchemy and duckdb_sqlalchemy are used.
"""

from __future__ import annotations

from duckdb_sqlalchemy import Dialect, DuckDBExecutionContext
from sqlalchemy.dialects import registry
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy

NAME = "boscard_duckdb"
URL = f"{NAME}:///:memory:"


class BufferedExecutionContext(DuckDBExecutionContext):  # type: ignore[misc]
    """Takes all rows of a result into Python memory as soon as the statement has run."""

    def post_exec(self) -> None:
        super().post_exec()
        if self.cursor is not None and self.cursor.description is not None:
            self.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(
                self.cursor,
                alternate_description=self.cursor.description,
                initial_buffer=self.cursor.fetchall(),
            )


class BufferedDialect(Dialect):  # type: ignore[misc]
    """DuckDB's dialect with buffered results; its `name` stays duckdb, which its users ask for."""

    execution_ctx_cls = BufferedExecutionContext
    supports_statement_cache = True


def register() -> None:
    """Make `boscard_duckdb://` known to SQLAlchemy; once or many times is the same."""
    registry.register(NAME, __name__, BufferedDialect.__name__)
