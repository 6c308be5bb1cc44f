"""How far each configured account's streams have come, recorded once a night."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from boscard.clock import Clock
from boscard.settings import Settings
from ingest.batch import Window
from ingest.plan import places
from ingest.registry import SOURCES
from ingest.stream import Stream
from ingest.windows import merge

# Source, account (or connection) and stream.
StreamKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """One stream of one account (or connection) this night; states as in ops.stream_status."""

    as_of_date: date
    source: str
    account: str
    account_name: str
    currency: str | None
    time_zone: str
    stream: str
    load: str
    expected_through: date
    loaded_through: date | None
    state: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """One gated batch, as far as the status needs it."""

    sequence: int
    as_of_date: date
    window: Window | None
    is_held: bool


def stream_statuses(
    connection: duckdb.DuckDBPyConnection, settings: Settings, clock: Clock
) -> list[StreamStatus]:
    """The status of every configured account and stream, from the batches loaded so far."""
    batches: dict[StreamKey, list[Loaded]] = {}
    for source, account, stream, sequence, as_of, start, end, state in connection.execute(
        "select source, account, stream, sequence, as_of_date, window_start, window_end, state"
        " from ops.loaded_batches order by source, account, stream, sequence"
    ).fetchall():
        window = Window(start, end) if start else None
        loaded = Loaded(sequence, as_of, window, state != "passed")
        batches.setdefault((source, account, stream), []).append(loaded)
    return judged(batches, settings, clock)


def judged(
    batches: Mapping[StreamKey, Sequence[Loaded]], settings: Settings, clock: Clock
) -> list[StreamStatus]:
    """The status of every configured account and stream, from batches in their sequence."""
    return [
        _judge(place, batches.get((place.source, place.account, place.stream.name), ()), settings)
        for place in _places(settings, clock)
    ]


def record_status(
    connection: duckdb.DuckDBPyConnection, statuses: list[StreamStatus], clock: Clock
) -> None:
    """Write the night's rows in place of what an earlier run of the same night wrote."""
    connection.execute(
        "delete from ops.stream_status where as_of_date = ?", [clock.as_of_date]
    ).fetchall()
    for status in statuses:
        connection.execute(
            "insert into ops.stream_status values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                status.as_of_date,
                status.source,
                status.account,
                status.account_name,
                status.currency,
                status.time_zone,
                status.stream,
                status.load,
                status.expected_through,
                status.loaded_through,
                status.state,
            ],
        ).fetchall()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a stream is expected: an account, or the connection that reaches several."""

    as_of_date: date
    source: str
    account: str
    account_name: str
    currency: str | None
    time_zone: str
    stream: Stream
    settled: date


def _places(settings: Settings, clock: Clock) -> Iterator[_Place]:
    for source in settings.sources:
        for stream in SOURCES[source].streams.values():
            is_shared = stream.scope == "connection"
            for name, account in places(settings, source, stream):
                yield _Place(
                    as_of_date=clock.as_of_date,
                    source=source,
                    account=name,
                    account_name=name if is_shared else account.name,
                    currency=None if is_shared else account.currency,
                    time_zone=account.time_zone,
                    stream=stream,
                    settled=clock.settled_day(account.zone),
                )


def _judge(place: _Place, batches: Sequence[Loaded], settings: Settings) -> StreamStatus:
    stream = place.stream
    passed = [batch for batch in batches if not batch.is_held]
    if stream.is_windowed:
        expected = place.settled
        through = gap_free_end(
            [batch.window for batch in passed if batch.window], settings.company.history_start
        )
    else:
        # A complete list is as of the night, however far ahead an account's own day is.
        expected = min(place.settled, place.as_of_date) - timedelta(days=stream.every_days - 1)
        through = max((batch.as_of_date for batch in passed), default=None)
    if batches and batches[-1].is_held:
        state = "held"
    elif through is None:
        state = "missing"
    else:
        state = "fresh" if through >= expected else "late"
    return StreamStatus(
        as_of_date=place.as_of_date,
        source=place.source,
        account=place.account,
        account_name=place.account_name,
        currency=place.currency,
        time_zone=place.time_zone,
        stream=stream.name,
        load=stream.load,
        expected_through=expected,
        loaded_through=through,
        state=state,
    )


def gap_free_end(windows: list[Window], start: date) -> date | None:
    """The last day of the unbroken run of days that begins at `start`; None without that day."""
    for window in merge(windows):
        if window.start <= start <= window.end:
            return window.end
    return None
