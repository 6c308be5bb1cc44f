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
from ingest.windows import clip, gaps, merge, split, subtract


@dataclass(frozen=True, slots=True)
class Landed:
    """What the ledger says of one batch: a held (or blocked) one has landed but does not count.

    A held one counts for its own night; a blocked one does not, for the night waits for it.
    """

    window: Window | None
    as_of_date: date
    sequence: int
    is_held: bool
    is_blocked: bool = False


def plan(
    settings: Settings,
    source: str,
    clock: Clock,
    landing: Landing,
    again: bool = False,
    asked: Window | None = None,
    only: tuple[str, str] | None = None,
) -> list[Unit]:
    """The units of one source that are due this night, in the order in which they are pulled.

    What has landed for this as_of_date is not due a second time, unless `again` or where it blocks
    the night. `asked` are days that a person wants from the vendors anew. `only`: those of one
    account and stream; what landed of others is not looked at.
    """
    units = []
    for stream in SOURCES[source].streams.values():
        for name, account in places(settings, source, stream):
            if only not in (None, (name, stream.name)):
                continue
            landed = ledger(landing, source, name, stream, clock.as_of_date)
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


def ledger(
    landing: Landing, source: str, account: str, stream: Stream, as_of: date
) -> list[Landed]:
    """The batches of one stream that planning the night `as_of` asks about."""
    landed = []
    for name in landing.names(source, account, stream.name, is_indexed=True):
        if not stream.is_windowed and name.as_of_date <= _oldest(stream, as_of):
            continue
        state = verdict_state(name)
        landed.append(
            Landed(
                name.window,
                name.as_of_date,
                name.sequence,
                is_held=state in ("held", "blocked"),
                is_blocked=state == "blocked",
            )
        )
    return landed


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
    stream wants its gaps, the days that the vendor could still restate when they were last pulled,
    however many nights ago that was, the windows held on earlier nights and the days `asked` for;
    changes are wanted since the newest night that landed, with an overlap, or since the first day
    asked for; a list every `every_days` nights, and when days are asked for.
    """
    earlier = [batch for batch in landed if batch.as_of_date < as_of]
    tonight = [batch for batch in landed if batch.as_of_date >= as_of and not again]
    tonight.sort(key=lambda batch: batch.sequence)
    is_had = bool(tonight) and not tonight[-1].is_blocked
    if not stream.is_windowed:
        is_wanted = again or asked is not None or bool(tonight)
        is_fresh = not is_wanted and _is_fresh(stream, earlier, as_of)
        return [] if is_had or is_fresh else [None]
    if whole is None:
        return []
    if stream.load == "changes":
        since = [] if is_had else [_since(stream, earlier, whole)]
        return list[Window | None](_since_asked(asked, tonight, since, whole))
    taken: list[Window] = []
    for batch in tonight:
        if batch.window:
            taken = _with(taken, batch.window, is_taken=not batch.is_blocked)
    final = _final(stream, earlier, behind=as_of - whole.end)
    wanted = merge([*gaps(final, whole), *_still_held(earlier), *([asked] if asked else [])])
    left = clip(subtract(wanted, taken), whole)
    return [part for window in left for part in split(window, stream.window_days)]


def _with(windows: list[Window], window: Window, *, is_taken: bool) -> list[Window]:
    return merge([*windows, window]) if is_taken else subtract(windows, [window])


def _is_fresh(stream: Stream, earlier: Sequence[Landed], as_of: date) -> bool:
    """Whether a list that is not wanted every night was had a few nights ago."""
    oldest = _oldest(stream, as_of)
    return any(batch.as_of_date > oldest and not batch.is_held for batch in earlier)


def _oldest(stream: Stream, as_of: date) -> date:
    """The night up to which a list does not count any more."""
    return as_of - timedelta(days=stream.every_days)


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
    had = [*due, *(one.window for one in tonight if one.window and not one.is_blocked)]
    if any(window.start <= first for window in had):
        return due
    return [Window(first, whole.end)]


def _final(stream: Stream, earlier: Sequence[Landed], behind: timedelta) -> list[Window]:
    """The days that a night brought so late that the vendor did not restate them any more.

    `behind`: by how much the account's settled day is behind the night's.
    """
    final = []
    for batch in earlier:
        last = batch.as_of_date - behind - timedelta(days=stream.restatement_days)
        if batch.window and not batch.is_held and batch.window.start <= last:
            final.append(Window(batch.window.start, min(batch.window.end, last)))
    return final


def _still_held(earlier: Sequence[Landed]) -> list[Window]:
    """Held windows, save the days that a later batch has brought since."""
    held: list[Window] = []
    for batch in sorted(earlier, key=lambda batch: batch.sequence):
        if batch.window is None:
            continue
        held = _with(held, batch.window, is_taken=batch.is_held)
    return held


def _whole(history_start: date, clock: Clock, account: Account) -> Window | None:
    settled = clock.settled_day(account.zone)
    return Window(history_start, settled) if history_start <= settled else None
