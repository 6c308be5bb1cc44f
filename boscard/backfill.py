"""`boscard backfill`: past days from the vendors anew, as part of the newest night."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from ingest.batch import Window
from ingest.registry import SOURCES

if TYPE_CHECKING:
    from boscard.night import Night

# The parameters of an ingest DAG that ask for days anew.
ASKED: Final = {
    "backfill_from": "The first day to ask the vendor for anew.",
    "backfill_to": "The last day to ask the vendor for anew.",
}


class BackfillRefused(Exception):
    """The days cannot be asked for; the message says which can."""


def asking(night: Night, first: date, last: date) -> Night:
    """The night with these days asked for. Raises BackfillRefused for days outside the history."""
    start, end = night.settings.company.history_start, night.clock.as_of_date
    if not start <= first <= last <= end:
        raise BackfillRefused(
            f"{first} to {last} cannot be asked for: --from comes first, and both lie between "
            f"company.history_start ({start}) and the night ({end})"
        )
    return replace(night, asked=Window(first, last))


def parameters(asked: Window | None) -> dict[str, str | None]:
    """What the ingest DAGs are told."""
    days = (asked.start.isoformat(), asked.end.isoformat()) if asked else (None, None)
    return dict(zip(ASKED, days, strict=True))


def asked_window(params: Mapping[str, Any]) -> Window | None:
    """The days that a run of an ingest DAG was asked for; None without. Raises BackfillRefused."""
    first, last = (params.get(name) for name in ASKED)
    if first is None and last is None:
        return None
    if first is None or last is None:
        raise BackfillRefused(f"give both {' and '.join(ASKED)}, or neither")
    return Window(date.fromisoformat(first), date.fromisoformat(last))


def sentences(night: Night) -> list[str]:
    """What is asked for, and of what only the present can be had."""
    if night.asked is None:
        return []
    found: dict[str, list[str]] = {"days": [], "changes": [], "lists": []}
    for source in night.settings.sources:
        for stream in SOURCES[source].streams.values():
            kind = {"window": "days", "responses": "days", "changes": "changes"}
            found[kind.get(stream.load, "lists")].append(f"{source}.{stream.name}")
    days = f"{night.asked.start} to {night.asked.end}"
    return [
        f"days {days} are asked for anew: {', '.join(found['days'])}",
        f"as they are now, where changed since {night.asked.start}: {', '.join(found['changes'])}",
        f"as they are now, once a night: {', '.join(found['lists'])}",
    ]
