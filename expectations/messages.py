"""What people are told of incidents and of a blocked publication: the marketer's half in plain
words, the engineer's under a line."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from boscard.settings import Settings
from expectations.resting import resting_on
from expectations.suites import SUITES
from expectations.verdict import Result, Verdict
from ingest.batch import Batch
from ingest.landing import Landing, verdict_state
from ingest.registry import SOURCES

if TYPE_CHECKING:
    from expectations.incidents import Incident

_LINE = "-" * 72
_HARMLESS = str.maketrans({"<": "‹", ">": "›", "@": "＠", "`": "'"})


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Two with the same `key` are the same message, however often they are made."""

    key: str
    subject: str
    body: str


def opened(
    incident: Incident,
    stopped: Sequence[tuple[Batch, Verdict]],
    *,
    landing: Landing,
    settings: Settings,
) -> Message:
    """The message on an incident that is new or came back; `stopped` are the batches kept back."""
    night, source = incident.night, incident.source
    title, account = SOURCES[source].title, _account_name(incident, settings)
    subjects = [SUITES[source][stream].subject for stream in incident.streams]
    what = f"the {subjects[0]}" if len(subjects) == 1 else f"{len(subjects)} kinds of data"
    blocked = any(verdict.state == "blocked" for _, verdict in stopped)
    results = [result for _, verdict in stopped for result in verdict.stopping]
    rows = sum(verdict.rows_in for _, verdict in stopped)
    usable = [_usable(batch, landing, blocked=blocked) for batch, _ in stopped]
    since = f"It was found in the night of {night}{_covered([batch for batch, _ in stopped])}."
    if incident.since != night:
        since += f" The same trouble was first found in the night of {incident.since}."
    all_of = "this delivery" if len(stopped) == 1 else f"these {len(stopped)} deliveries"
    parts = {
        "What is wrong": " ".join(dict.fromkeys(result.sentence for result in results)),
        "Since when": since,
        "How large": f"{rows:,} rows are kept back, all of {all_of}.",
        "What rests on it": f"{_upper(resting_on(source, *incident.streams))}.",
        "May the numbers be used": " ".join(dict.fromkeys(usable)),
        "What happens next": "Nothing is published until this is settled. "
        f"{title} is asked again when this night is run again, or else in the next one."
        if blocked
        else f"{title} is asked again in the next night; sound numbers then go on by themselves.",
        **_owner(night, settings),
    }
    again_on = night if blocked else night + timedelta(days=1)
    engineer = [line for batch, verdict in stopped for line in _kept_back(batch, verdict)]
    engineer += [
        f"asked again by: boscard nightly --date {again_on}",
        f"taken on by: boscard incidents ack {incident.name}",
    ]
    subject = f"{title}: {what} of {account} are kept back ({night})"
    return Message(_key(incident), plain(subject), _body(parts, engineer))


def resolved(incident: Incident, *, settings: Settings) -> Message:
    """The message on an incident that is over."""
    source, night = incident.source, incident.night
    title, account = SOURCES[source].title, _account_name(incident, settings)
    subjects = " and the ".join(SUITES[source][stream].subject for stream in incident.streams)
    parts = {
        "What was wrong": f"The {subjects} of {account} were kept back.",
        "Since when": f"From the night of {incident.since}. It was over in that of {night}.",
        "What rests on it": f"{_upper(resting_on(source, *incident.streams))}.",
        "May the numbers be used": "Yes. What was kept back was asked for again and is sound.",
        "What happens next": "Nothing more needs to be done.",
    }
    subject = f"{title}: {account} is in order again ({night})"
    return Message(_key(incident), plain(subject), _body(parts, [f"incident: {incident.name}"]))


def blocked_publication(
    as_of_date: date, *, causes: Sequence[str], evidence: Sequence[str], settings: Settings
) -> Message:
    """The message on a night that was not published.

    `causes` are sentences for the marketer, `evidence` lines for the engineer (checks, samples).
    """
    parts = {
        "What is wrong": " ".join(dict.fromkeys(plain(cause, 500) for cause in causes)),
        "Since when": f"It was found in the night of {as_of_date}.",
        "How large": "The whole scorecard of this night is kept back.",
        "What rests on it": "All numbers of the scorecard.",
        "May the numbers be used": "Yes, those of the last publication, which stays in place. "
        f"They do not include {as_of_date}.",
        "What happens next": "The night is run again when the cause is removed.",
        **_owner(as_of_date, settings),
    }
    engineer = [*(plain(line, 500) for line in evidence)]
    engineer.append(f"run again: boscard nightly --date {as_of_date}")
    subject = f"{settings.company.name}: no new scorecard for {as_of_date}"
    return Message(f"blocked.{as_of_date}", plain(subject), _body(parts, engineer))


def late_publication(as_of_date: date, *, settings: Settings) -> Message:
    """The message on a night whose scorecard was not there by its deadline."""
    parts = {
        "What is wrong": "The scorecard is late.",
        "Since when": f"It was due for {as_of_date}.",
        "What rests on it": "All numbers of the scorecard.",
        "May the numbers be used": "Yes, those of the last publication, which stays in place. "
        f"They do not include {as_of_date}.",
        "What happens next": "The night goes on by itself; it publishes as soon as it can.",
        **_owner(as_of_date, settings),
    }
    subject = f"{settings.company.name}: the scorecard for {as_of_date} is late"
    engineer = ["the DAG scorecard ran past its deadline: see its running or waiting task"]
    return Message(f"late.{as_of_date}", plain(subject), _body(parts, engineer))


def plain(text: str, limit: int = 200) -> str:
    """Text of a vendor made harmless for a message: one line, nothing invisible, no markup, no
    mention, at most `limit` characters."""
    seen = "".join(
        " " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text
    ).translate(_HARMLESS)
    seen = " ".join(seen.split())
    return seen if len(seen) <= limit else seen[: limit - 1] + "…"


def _body(parts: dict[str, str], engineer: Sequence[str]) -> str:
    told = "\n\n".join(f"{heading}: {text}" for heading, text in parts.items())
    return f"{told}\n\n{_LINE}\nFor the engineer\n" + "\n".join(engineer) + "\n"


def _key(incident: Incident) -> str:
    return f"incident.{incident.name}.{incident.state}.{incident.night}"


def _kept_back(batch: Batch, verdict: Verdict) -> list[str]:
    manifest = batch.manifest
    return [
        f"batch: {manifest.source}/{manifest.account}/{manifest.stream}/{manifest.batch_id}",
        f"folder: {batch.folder}",
        *(line for result in verdict.stopping for line in _evidence(result)),
    ]


def _evidence(result: Result) -> list[str]:
    line = f"check: {result.check_id} {result.state}: {plain(result.observed, 300)}"
    lines = [line, f"  expected: {result.expected}"]
    return lines + [f"  {plain(one)}" for one in result.sample]


def _usable(batch: Batch, landing: Landing, *, blocked: bool) -> str:
    if blocked:
        return "The last scorecard stays in place and may be used for trends, not for decisions."
    manifest = batch.manifest
    names = landing.names(manifest.source, manifest.account, manifest.stream)
    earlier = [name for name in names if name.sequence < manifest.sequence]
    last = next((name for name in reversed(earlier) if verdict_state(name) == "passed"), None)
    if last is None:
        return "No: there are none yet that could be used."
    through = last.unit.window.end if last.unit.window else last.as_of_date
    return f"Yes, as they were known through {through}. What is newer is missing and marked so."


def _covered(batches: Sequence[Batch]) -> str:
    windows = [batch.manifest.window for batch in batches if batch.manifest.window]
    if not windows:
        return ""
    start, end = min(one.start for one in windows), max(one.end for one in windows)
    return f" and concerns {start}" if start == end else f" and concerns {start} to {end}"


def _owner(as_of_date: date, settings: Settings) -> dict[str, str]:
    company = settings.company
    due = as_of_date + timedelta(days=2)
    return {
        "Who is on it": f"The data engineers of {company.name}.",
        "Next update": f"By {due}, {company.publication_hour:02d}:00 ({company.time_zone}).",
    }


def _account_name(incident: Incident, settings: Settings) -> str:
    for one in settings.accounts_of(incident.source):
        if one.account == incident.account:
            return one.name
    return settings.company.name


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
