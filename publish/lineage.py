"""Which rows a KPI rests on, and when they count: read from the definitions, never typed here.

Shared by the way back from a value (publish.explain) and the way on from an API call
(publish.feeds).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import duckdb

from boscard.home import Home
from ingest.registry import SOURCES
from ingest.stream import Stream, raw_table
from publish.contract import quoted, quoted_text


class CannotExplainError(Exception):
    """There is nothing to explain by that name, or no warehouse to look into; says what to do."""


@dataclass(frozen=True, slots=True)
class Link:
    """One KPI and one stream. A row counts `lag_days` after the day in its column `dated_by`.

    Without `dated_by` any row of the stream may count in any period.
    """

    kpi_id: str
    source: str
    stream: str
    dated_by: str | None
    lag_days: int

    @property
    def description(self) -> Stream:
        return SOURCES[self.source].streams[self.stream]

    @property
    def table(self) -> str:
        return f"raw.{raw_table(self.source, self.stream)}"

    def day(self, time_zone: str) -> str:
        """The day of a row as SQL; instants are dated in the business time zone."""
        if self.dated_by is None:
            raise ValueError(f"{self.kpi_id}: rows of {self.source}.{self.stream} have no day")
        if self.description.column(self.dated_by).type == "date":
            return quoted(self.dated_by)
        return f"cast(timezone({quoted_text(time_zone)}, {quoted(self.dated_by)}) as date)"


@contextmanager
def warehouse(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse for reading. Raises CannotExplainError while a night writes it."""
    if not home.warehouse.exists():
        raise CannotExplainError(
            f"{home.warehouse}: not there; run a night, or rebuild it with boscard replay"
        )
    try:
        connection = duckdb.connect(str(home.warehouse), read_only=True)
    except duckdb.IOException as error:
        raise CannotExplainError(
            f"{home.warehouse}: a night is writing it; try again when it has finished ({error})"
        ) from None
    try:
        connection.execute("set TimeZone = 'UTC'").fetchall()
        yield connection
    except duckdb.CatalogException as error:
        raise CannotExplainError(
            f"{home.warehouse}: not all of a night is in it; run that night again ({error})"
        ) from None
    finally:
        connection.close()


def links(connection: duckdb.DuckDBPyConnection) -> list[Link]:
    """All of seeds.kpi_sources, with today's lags, by KPI, source and stream."""
    rows = connection.execute(
        """
        select sources.kpi_id, sources.source, sources.stream, sources.dated_by,
            coalesce(max_by(parameters.value, parameters.valid_from), 0)
        from seeds.kpi_sources as sources
        left join seeds.kpi_parameters as parameters
            on sources.kpi_id = parameters.kpi_id and sources.lag = parameters.parameter
        group by all
        order by all
        """
    ).fetchall()
    return [Link(kpi, source, stream, dated, int(lag)) for kpi, source, stream, dated, lag in rows]


def data_through(connection: duckdb.DuckDBPyConnection) -> dict[str, date | None]:
    """How far each KPI goes tonight."""
    rows = connection.execute(
        "select kpi_id, data_through from intermediate.int_scorecard__kpi_status"
    ).fetchall()
    return dict(rows)


def kpi_names(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The present name of each KPI."""
    rows = connection.execute(
        "select kpi_id, max_by(name, valid_from) from seeds.kpi_definitions group by kpi_id"
    ).fetchall()
    return dict(rows)
