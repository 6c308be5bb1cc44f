"""What a reader must know tonight before using a number, in words; the page says it first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from ingest.registry import SOURCES
from publish import figures
from publish.page_data import PageData, Row

DONE = {
    "block": ("wrong data stop the publication", "Nothing is published until they are right."),
    "hold": ("new data held back", "The last good data stay until somebody decides."),
    "quarantine": ("wrong rows left out", "They count nowhere until the vendor sends them right."),
    "observe": ("something looks unusual", "The data count as they are."),
}
STILL = (
    "What spoke against them on an earlier night has not come again sound, or they differ from "
    "what the vendors sent: each says why below."
)
INCOMPLETE = "What is below is as good as what arrived. Whoever runs Boscard sees here what to do."


@dataclass(frozen=True, slots=True)
class Notice:
    """What is wrong, since when, which KPIs it touches, and for the engineer what it was."""

    title: str
    sentence: str
    touches: str = ""
    checks: tuple[str, ...] = ()


def notices(data: PageData, complaints: Sequence[str]) -> list[Notice]:
    found: list[Notice] = []
    failures = sorted(
        data["failures"], key=lambda row: (list(DONE).index(row["action"]), row["source"])
    )
    late = [row for row in data["streams"] if row["stream_state"] != "fresh"]
    for account, rows in groupby(late, _account):
        worst = max(rows, key=lambda row: row["days_behind"] or 10**6)
        title = f"{account[1]} ({source_title(account[0])}): {lateness(worst)}"
        held = [row for row in failures if row["action"] == "hold" and _account(row) == account]
        failures = [row for row in failures if row not in held]
        found.append(
            Notice(title, _waiting(worst), _touched(data, account[0], is_late=True), _checks(held))
        )
    for (action, source), rows in groupby(failures, lambda row: (row["action"], row["source"])):
        failed = list(rows)
        accounts = figures.listing(sorted({row["account_name"] for row in failed}))
        what, follows = DONE[action]
        title = f"{accounts} ({source_title(source)}): {what}"
        found.append(Notice(title, follows, _touched(data, source, is_late=False), _checks(failed)))
    still = _still_doubtful(data, {row["source"] for row in failures})
    if still:
        found.append(Notice("Some numbers are still doubtful", STILL, still))
    if complaints:
        found.append(Notice("Not all of the night went well", INCOMPLETE, checks=tuple(complaints)))
    return found


def _account(row: Row) -> tuple[str, str]:
    return row["source"], row["account_name"]


def _checks(failures: Sequence[Row]) -> tuple[str, ...]:
    return tuple(f"{row['account_name']}, {row['check_id']}: {row['sentence']}" for row in failures)


def lateness(row: Row) -> str:
    if row["stream_state"] == "held":
        return "new data held back"
    if row["data_through"] is None:
        return "never loaded"
    return f"{row['days_behind']} {'day' if row['days_behind'] == 1 else 'days'} behind"


def _waiting(row: Row) -> str:
    if row["data_through"] is None:
        return "Nothing has been loaded yet; numbers that need it are left out."
    is_held = row["stream_state"] == "held"
    why = "did not pass their checks and wait for a decision" if is_held else "have not arrived"
    return f"Newer data {why}. Numbers that need them end on {figures.day(row['data_through'])}."


def _touched(data: PageData, source: str, *, is_late: bool) -> str:
    """The KPIs that rest on the source and end early, or rest on rows that were found wrong."""
    late = {row["node_id"] for row in data.node("kpi") if row["data_through"] != data.as_of_date}
    touched = late if is_late else _suspect(data)
    return figures.listing(
        [
            row["name"]
            for row in data["definitions"]
            if row["kpi_id"] in touched and source in _sources(row)
        ]
    )


def _still_doubtful(data: PageData, told: set[str]) -> str:
    """The suspect KPIs that rest on none of the sources of which something is told tonight."""
    suspect = _suspect(data)
    return figures.listing(
        [
            row["name"]
            for row in data["definitions"]
            if row["kpi_id"] in suspect and told.isdisjoint(_sources(row))
        ]
    )


def _suspect(data: PageData) -> set[str]:
    return {row["node_id"] for row in data.node("kpi") if row["dq_state"] == "suspect"}


def _sources(definition: Row) -> list[str]:
    return (definition["sources"] or "").split(", ")


def source_title(source: str) -> str:
    return SOURCES[source].title if source in SOURCES else source
