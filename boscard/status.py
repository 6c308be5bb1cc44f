"""`boscard status`: how tonight stands, from the folders alone, also while a night is at work.

It opens neither the warehouse nor a server of a vendor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from boscard import services
from boscard.clock import Clock
from boscard.home import Home
from boscard.night import Night
from boscard.nightly import running_night
from boscard.settings import Settings
from boscard.summary import INCOMPLETE, NOT_PUBLISHED, PUBLISHED
from expectations.verdict import read_verdict
from ingest.landing import verdict_state
from ingest.names import Name
from warehouse.status import Loaded, StreamKey, StreamStatus, judged

if TYPE_CHECKING:
    from publish.history import Record

# As long after its hour as the scorecard's own deadline.
OVERDUE_AFTER = timedelta(hours=2)

State = Literal["published", "incomplete", "awaited", "overdue"]
EXIT = {"published": PUBLISHED, "incomplete": INCOMPLETE, "awaited": 0, "overdue": NOT_PUBLISHED}


@dataclass(frozen=True, slots=True)
class StreamState:
    """One stream of one account. `rows` and `set_aside` are those of its newest night."""

    source: str
    account: str
    stream: str
    state: str
    through: date | None
    expected: date
    rows: int
    set_aside: int


@dataclass(frozen=True, slots=True)
class Part:
    """A process of `boscard up`."""

    name: str
    pid: int
    is_running: bool


@dataclass(frozen=True, slots=True)
class Status:
    """`night` is the newest whose hour has come: awaited until two hours after that hour, then
    overdue. `wrong` says what it lacks. `next_night` is when the next one is due.
    """

    night: date
    state: State
    wrong: list[str]
    publication: Record | None
    at_work: str | None
    next_night: datetime
    services: list[Part]
    streams: list[StreamState]

    @property
    def exit_status(self) -> int:
        return EXIT[self.state]


def status(home: Home, settings: Settings, moment: datetime) -> Status:
    """How things stand at a moment."""
    from publish.read import current_record

    company = settings.company
    clock = Clock.newest(moment, company.zone, company.publication_hour)
    night = Night(settings, home, clock)
    record = current_record(home)
    wrong: list[str] = []
    state: State = "awaited"
    if record is not None and record.as_of_date >= clock.as_of_date:
        wrong = night.shortcomings()
        state = "incomplete" if wrong else "published"
    elif moment >= clock.now + OVERDUE_AFTER:
        wrong = night.complaints()
        state = "overdue"
    return Status(
        night=clock.as_of_date,
        state=state,
        wrong=wrong,
        publication=record,
        at_work=running_night(home),
        next_night=replace(clock, as_of_date=clock.as_of_date + timedelta(days=1)).now,
        services=[
            Part(service.name, service.pid, service.process() is not None)
            for service in services.services(home)
        ],
        streams=_streams(night),
    )


def _streams(night: Night) -> list[StreamState]:
    gated: dict[StreamKey, list[Name]] = {}
    loaded: dict[StreamKey, list[Loaded]] = {}
    for name in night.landing.names():
        state = verdict_state(name)
        if state is not None:  # what has landed but is not judged yet is on no table
            one = Loaded(name.sequence, name.as_of_date, name.window, state != "passed")
            gated.setdefault(name.place, []).append(name)
            loaded.setdefault(name.place, []).append(one)
    return [
        _stream(found, gated.get((found.source, found.account, found.stream), []))
        for found in judged(loaded, night.settings, night.clock)
    ]


def _stream(found: StreamStatus, names: list[Name]) -> StreamState:
    newest = max((name.as_of_date for name in names), default=None)
    last = [read_verdict(name) for name in names if name.as_of_date == newest]
    verdicts = [verdict for verdict in last if verdict is not None]
    return StreamState(
        source=found.source,
        account=found.account,
        stream=found.stream,
        state=found.state,
        through=found.loaded_through,
        expected=found.expected_through,
        rows=sum(verdict.rows_in for verdict in verdicts),
        set_aside=sum(verdict.rows_quarantined for verdict in verdicts),
    )
