"""Incidents: from the night in which an account's batches are first kept back until all go on.

An incident is one (source, account): a vendor's trouble with one account is one trouble, however
many streams it touches. What is known of it are facts, one line each, only ever added to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from boscard.atomic import locked, write_whole
from boscard.settings import Settings
from expectations import messages
from expectations.messages import Message
from expectations.verdict import Verdict, read_verdict
from ingest.batch import Batch
from ingest.landing import Landing, read_batch

State = Literal["new", "acknowledged", "snoozed", "resolved", "reopened"]
CALM = timedelta(days=7)


class NoSuchIncidentError(LookupError):
    """No open incident has this name; the message says how to find the right one."""


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident after one fact. `since`: its first night; `night`: that of the fact.

    `streams` are those that are kept back; `until`: the night up to which it is snoozed.
    """

    source: str
    account: str
    number: int
    state: State
    since: date
    night: date
    streams: tuple[str, ...]
    who: str = ""
    why: str = ""
    until: date | None = None

    @property
    def name(self) -> str:
        return f"{self.source}.{self.account}.{self.number}"

    @property
    def is_open(self) -> bool:
        return self.state != "resolved"


class Incidents:
    """The folder of facts, a file an account."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def newest(self, source: str, account: str) -> Incident | None:
        facts = self._facts(self.folder / f"{source}.{account}.ndjson")
        return facts[-1] if facts else None

    def all(self) -> Iterator[Incident]:
        """Each incident as it stands, by source, account and number."""
        for path in sorted(self.folder.glob("*.ndjson")):
            yield from {fact.number: fact for fact in self._facts(path)}.values()

    def add(self, fact: Incident) -> None:
        """Add a fact; one that is known already changes nothing."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{fact.source}.{fact.account}.ndjson"
        with locked(self.folder):
            known = self._facts(path)
            if known[-1:] != [fact]:
                lines = [msgspec.json.encode(one) + b"\n" for one in [*known, fact]]
                write_whole(path, b"".join(lines))

    def decide(
        self, name: str, state: Literal["acknowledged", "snoozed"], **decided: str | date
    ) -> Incident:
        """A person takes an open incident, or puts it off. Raises NoSuchIncidentError."""
        found = next((one for one in self.all() if one.name == name and one.is_open), None)
        if found is None:
            raise NoSuchIncidentError(
                f"no open incident {name!r}; `boscard incidents list` shows those there are"
            )
        fact = replace(found, state=state, **decided)  # type: ignore[arg-type]
        self.add(fact)
        return fact

    def _facts(self, path: Path) -> list[Incident]:
        """The facts of one account, oldest first."""
        try:
            lines = path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        return [msgspec.json.decode(line, type=Incident) for line in lines]


def following(
    known: Incident | None, source: str, account: str, night: date, streams: Sequence[str]
) -> Incident | None:
    """The fact that a night adds: `streams` are kept back in it. None where nothing changed.

    Trouble that comes back within a week of calm is the same incident, reopened.
    """
    if known is not None and night < known.night:
        return None
    kept = tuple(streams)
    if known is None or (not known.is_open and kept and night - known.night > CALM):
        number = known.number + 1 if known else 1
        return Incident(source, account, number, "new", night, night, kept) if kept else None
    fact = replace(known, night=night, streams=kept, who="", why="", until=None)
    if not kept:
        return replace(fact, state="resolved", streams=known.streams) if known.is_open else None
    if not known.is_open or (known.until is not None and night > known.until):
        return replace(fact, state="reopened")
    if kept == known.streams:
        return None
    return replace(known, night=night, streams=kept)


def tell(
    stopped: Sequence[tuple[Batch, Verdict]],
    incidents: Incidents,
    night: date,
    *,
    landing: Landing,
    settings: Settings,
) -> Iterator[tuple[Incident, Message | None]]:
    """The facts that a night adds, and the message of each that changes an incident's state.

    `stopped` are the night's batches that were kept back. A stream of an open incident that was not
    pulled is as it was.
    """
    tonight: dict[tuple[str, str], list[tuple[Batch, Verdict]]] = {}
    for batch, verdict in stopped:
        place = batch.manifest.source, batch.manifest.account
        tonight.setdefault(place, []).append((batch, verdict))
    open_ones = [(one.source, one.account) for one in incidents.all() if one.is_open]
    for source, account in sorted({*tonight, *open_ones}):
        known = incidents.newest(source, account)
        kept = tonight.get((source, account), [])
        seen = {batch.manifest.stream for batch, _ in kept}
        if known is not None and known.is_open:
            left = [stream for stream in known.streams if stream not in seen]
            kept = [*kept, *_still_kept(landing, source, account, left)]
        streams = sorted({batch.manifest.stream for batch, _ in kept})
        fact = following(known, source, account, night, streams)
        if fact is None:
            continue
        if known is not None and (fact.number, fact.state) == (known.number, known.state):
            yield fact, None
        elif fact.is_open:
            yield fact, messages.opened(fact, kept, landing=landing, settings=settings)
        else:
            yield fact, messages.resolved(fact, settings=settings)


def _still_kept(
    landing: Landing, source: str, account: str, streams: Sequence[str]
) -> list[tuple[Batch, Verdict]]:
    """The newest judged batch of each stream, where it did not go on."""
    found = []
    for stream in streams:
        names = landing.names(source, account, stream)
        newest = next((name for name in reversed(names) if name.is_gated), None)
        batch = read_batch(newest) if newest else None
        verdict = read_verdict(batch) if batch else None
        if batch and verdict and verdict.state != "passed":
            found.append((batch, verdict))
    return found
