"""What people are told of a held batch and of a blocked publication: the marketer's half in plain
words, the engineer's under a line."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from boscard.settings import Settings
from expectations.resting import resting_on
from expectations.suites import SUITES
from expectations.verdict import Result, Verdict, read_verdict
from ingest.batch import Batch
from ingest.landing import Landing
from ingest.registry import SOURCES

_LINE = "-" * 72
_HARMLESS = str.maketrans({"<": "‹", ">": "›", "@": "＠", "`": "'"})


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Two with the same `key` are the same message, however often they are made."""

    key: str
    subject: str
    body: str


def held_batch(
    batch: Batch, verdict: Verdict, *, landing: Landing, settings: Settings
) -> Message | None:
    """The message on a batch that was kept back; None for one that passed."""
    if verdict.state == "passed":
        return None
    manifest = batch.manifest
    suite = SUITES[manifest.source][manifest.stream]
    title = SOURCES[manifest.source].title
    account = _account_name(batch, settings)
    subject = f"{title}: the {suite.subject} of {account} are kept back ({manifest.as_of_date})"
    blocked = verdict.state == "blocked"
    wrong = " ".join(dict.fromkeys(result.sentence for result in verdict.stopping))
    parts = {
        "What is wrong": wrong,
        "Since when": f"It was found in the night of {manifest.as_of_date}{_covered(batch)}.",
        "How large": f"{verdict.rows_in:,} rows are kept back, all of this delivery.",
        "What rests on it": f"{_upper(resting_on(manifest.source, manifest.stream))}.",
        "May the numbers be used": _usable(batch, landing, blocked=blocked),
        "What happens next": "Nothing is published until this is settled. "
        f"{title} is asked again in the next night."
        if blocked
        else f"{title} is asked again in the next night; sound numbers then go on by themselves.",
        **_owner(manifest.as_of_date, settings),
    }
    next_night = manifest.as_of_date + timedelta(days=1)
    engineer = [
        f"batch: {manifest.source}/{manifest.account}/{manifest.stream}/{manifest.batch_id}",
        f"folder: {batch.path}",
        *(line for result in verdict.stopping for line in _evidence(result)),
        f"asked again by: boscard nightly --date {next_night}",
    ]
    key = f"held.{manifest.source}.{manifest.account}.{manifest.stream}.{manifest.batch_id}"
    return Message(key, plain(subject), _body(parts, engineer))


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


def _evidence(result: Result) -> list[str]:
    line = f"check: {result.check_id} {result.state}: {plain(result.observed, 300)}"
    lines = [line, f"  expected: {result.expected}"]
    return lines + [f"  {plain(one)}" for one in result.sample]


def _usable(batch: Batch, landing: Landing, *, blocked: bool) -> str:
    manifest = batch.manifest
    last = None
    for one in landing.batches(manifest.source, manifest.account, manifest.stream):
        verdict = read_verdict(one) if one.manifest.sequence < manifest.sequence else None
        if verdict and verdict.state == "passed":
            last = one.manifest
    if blocked:
        return "The last scorecard stays in place and may be used for trends, not for decisions."
    if last is None:
        return "No: there are none yet that could be used."
    through = last.window.end if last.window else last.as_of_date
    return f"Yes, as they were known through {through}. What is newer is missing and marked so."


def _covered(batch: Batch) -> str:
    window = batch.manifest.window
    if window is None:
        return ""
    if window.start == window.end:
        return f" and concerns {window.start}"
    return f" and concerns {window.start} to {window.end}"


def _owner(as_of_date: date, settings: Settings) -> dict[str, str]:
    company = settings.company
    due = as_of_date + timedelta(days=2)
    return {
        "Who is on it": f"The data engineers of {company.name}.",
        "Next update": f"By {due}, {company.publication_hour:02d}:00 ({company.time_zone}).",
    }


def _account_name(batch: Batch, settings: Settings) -> str:
    manifest = batch.manifest
    for one in settings.accounts_of(manifest.source):
        if one.account == manifest.account:
            return one.name
    return settings.company.name


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
