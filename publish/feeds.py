"""`boscard explain --forward`: an API call followed to the KPIs and periods that its rows feed."""

# ruff: noqa: S608 - tables in the statements are named by the source registry

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from boscard.home import Home
from boscard.settings import Settings
from ingest.stream import raw_table
from publish.lineage import (
    CannotExplainError,
    Link,
    data_through,
    kpi_names,
    links,
    warehouse,
)
from publish.period import PERIOD_TYPES, period_of


@dataclass(frozen=True, slots=True)
class Fed:
    """One KPI that the call's rows count in. Without `periods` they may count in any period."""

    kpi_id: str
    name: str
    rows: int
    days: list[date]
    periods: dict[str, list[str]] | None


@dataclass(frozen=True, slots=True)
class Feeds:
    """A call, its batch, and how many of its `rows` still stand: newer batches replace them."""

    call_id: str
    method: str
    url: str
    status: int
    sha256: str
    source: str
    stream: str
    account: str
    batch_id: str
    as_of_date: date
    state: str
    rows: int
    rows_standing: int
    kpis: list[Fed]


def feeds(home: Home, settings: Settings, call_id: str) -> Feeds:
    """Follow a call. Raises CannotExplainError where no loaded batch has it."""
    with warehouse(home) as connection:
        found = connection.execute(
            """
            select call_id, method, url, status, sha256, source, stream, account, batch_id,
                as_of_date, state, rows
            from ops.calls
            inner join ops.loaded_batches using (source, stream, account, batch_id)
            where call_id = ?
            """,
            [call_id],
        ).fetchall()
        if not found:
            raise CannotExplainError(
                f"no API call {call_id!r} in what is loaded; they are named like "
                "google_ads.4185550101.campaign_daily.000001.00001, and `boscard explain KPI "
                "PERIOD` lists those behind a value"
            )
        (call, method, url, status, sha256, *place, as_of, state, rows) = found[0]
        source, stream, account, batch_id = place
        table = f"raw.{raw_table(source, stream)}"
        standing = connection.execute(
            f"select count(*) from {table} where _call_id = ? and not _is_deleted", [call_id]
        ).fetchall()[0][0]
        names, through = kpi_names(connection), data_through(connection)
        every = links(connection)
        kpis = []
        for link in every:
            if (link.source, link.stream) == (source, stream) and standing:
                count, days = _days(connection, link, call_id, settings, through[link.kpi_id])
                kpis.append(_fed(link.kpi_id, names, count, days))
        about_runs = sorted(set(names) - {link.kpi_id for link in every})
        kpis += [_fed(kpi_id, names, rows, [as_of]) for kpi_id in about_runs]
    return Feeds(
        call_id=call,
        method=method,
        url=url,
        status=status,
        sha256=sha256,
        source=source,
        stream=stream,
        account=account,
        batch_id=batch_id,
        as_of_date=as_of,
        state=state,
        rows=rows,
        rows_standing=standing,
        kpis=kpis,
    )


def _days(
    connection: duckdb.DuckDBPyConnection,
    link: Link,
    call_id: str,
    settings: Settings,
    through: date | None,
) -> tuple[int, list[date] | None]:
    """How many of the call's rows count and on which days, as far as the KPI's data go."""
    standing = f"from {link.table} where _call_id = ? and not _is_deleted"
    if link.dated_by is None:
        return connection.execute(f"select count(*) {standing}", [call_id]).fetchall()[0][0], None
    day = link.day(settings.company.time_zone)
    counted = connection.execute(
        f"select {day}, count(*) {standing} and {day} is not null group by 1 order by 1", [call_id]
    ).fetchall()
    lag = timedelta(days=link.lag_days)
    first = settings.company.history_start
    rows, days = 0, []
    for when, count in counted:
        if through is not None and first <= when + lag <= through:
            rows += count
            days.append(when + lag)
    return rows, days


def _fed(kpi_id: str, names: dict[str, str], rows: int, days: list[date] | None) -> Fed:
    if days is None:
        return Fed(kpi_id, names[kpi_id], rows, [], None)
    periods: dict[str, list[str]] = {
        type_: list(dict.fromkeys(period_of(day, type_).name for day in days))
        for type_ in PERIOD_TYPES
        if type_ != "day"
    }
    return Fed(kpi_id, names[kpi_id], rows, days, periods)
