"""What is left to pull: a pure plan over the ledger, which is read from landing, never stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from boscard.clock import Clock
from boscard.settings import Account, Settings
from ingest.batch import Unit, Window
from ingest.landing import Landing, verdict_state
from ingest.registry import SOURCES
from ingest.stream import Stream
from ingest.windows import clip, gaps, last_days, merge, split, subtract


@dataclass(frozen=True, slots=True)
class Landed:
    """What the ledger says of one batch: a held (or blocked) one has landed but does not count."""

    window: Window | None
    as_of_date: date
    sequence: int
    is_held: bool


def plan(
    settings: Settings,
    source: str,
    clock: Clock,
    landing: Landing,
    again: bool = False,
    asked: Window | None = None,
) -> list[Unit]:
    """The units of one source that are due this night, in the order in which they are pulled.

    What has landed for this as_of_date is not due a second time, unless `again`. `asked` are days
    that a person wants from the vendors anew.
    """
    units = []
    for stream in SOURCES[source].streams.values():
        for name, account in places(settings, source, stream):
            landed = ledger(landing, source, name, stream.name)
            windows = due(
                stream,
                landed,
                as_of=clock.as_of_date,
                whole=_whole(settings.company.history_start, clock, account),
                again=again,
                asked=asked,
            )
            units += [Unit(source, name, stream.name, window) for window in windows]
    return units


def places(settings: Settings, source: str, stream: Stream) -> list[tuple[str, Account]]:
    """Where a stream lands: its accounts, or the connections that reach them, each with its
    first account."""
    accounts = settings.accounts_of(source)
    if stream.scope == "account":
        return [(account.account, account) for account in accounts]
    connections: dict[str, Account] = {}
    for account in accounts:
        connections.setdefault(account.connection, account)
    return list(connections.items())


def ledger(landing: Landing, source: str, account: str, stream: str) -> list[Landed]:
    """The batches of one stream, as planning needs them."""
    return [
        Landed(
            batch.manifest.window,
            batch.manifest.as_of_date,
            batch.manifest.sequence,
            verdict_state(batch) in ("held", "blocked"),
        )
        for batch in landing.batches(source, account, stream)
    ]


def due(
    stream: Stream,
    landed: Sequence[Landed],
    *,
    as_of: date,
    whole: Window | None,
    again: bool = False,
    asked: Window | None = None,
) -> list[Window | None]:
    """The windows of one stream to pull; [None] for a complete list.

    `whole` is history start to the account's settled day, None while that is not over. A windowed
    stream wants its gaps, the days that the vendor still restates, the windows held on earlier
    nights and the days `asked` for; changes are wanted since the newest night that landed, with an
    overlap, or since the first day asked for.
    """
    tonight = [] if again else [batch for batch in landed if batch.as_of_date >= as_of]
    earlier = [batch for batch in landed if batch.as_of_date < as_of]
    if not stream.is_windowed:
        return [] if tonight else [None]
    if whole is None:
        return []
    if stream.load == "changes":
        since = [] if tonight else [_since(stream, earlier, whole)]
        return list[Window | None](_since_asked(asked, tonight, since, whole))
    before = [batch.window for batch in earlier if batch.window]
    had = [batch.window for batch in tonight if batch.window]
    restated = last_days(whole.end, stream.restatement_days)
    wanted = merge(
        [
            *gaps(before, whole),
            *([restated] if restated and before else []),
            *_still_held(earlier),
            *([asked] if asked else []),
        ]
    )
    left = clip(subtract(wanted, had), whole)
    return [part for window in left for part in split(window, stream.window_days)]


def _since(stream: Stream, earlier: Sequence[Landed], whole: Window) -> Window:
    nights = [batch.as_of_date for batch in earlier if not batch.is_held]
    if not nights:
        return whole
    start = max(nights) - timedelta(days=stream.restatement_days)
    return Window(min(max(start, whole.start), whole.end), whole.end)


def _since_asked(
    asked: Window | None, tonight: Sequence[Landed], due: list[Window], whole: Window
) -> list[Window]:
    """What is due of changes, from the first day asked for where that is not in it yet."""
    if asked is None or asked.start > whole.end:
        return due
    first = max(asked.start, whole.start)
    had = [*due, *(batch.window for batch in tonight if batch.window)]
    if any(window.start <= first for window in had):
        return due
    return [Window(first, whole.end)]


def _still_held(earlier: Sequence[Landed]) -> list[Window]:
    """Held windows, save the days that a later batch has brought since."""
    held: list[Window] = []
    for batch in sorted(earlier, key=lambda batch: batch.sequence):
        if batch.window is None:
            continue
        held = merge([*held, batch.window]) if batch.is_held else subtract(held, [batch.window])
    return held


def _whole(history_start: date, clock: Clock, account: Account) -> Window | None:
    settled = clock.settled_day(account.zone)
    return Window(history_start, settled) if history_start <= settled else None
