"""What a reader must know tonight before using a number, in words; the page says it first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from ingest.registry import SOURCES
from publish import figures
from publish.page_data import PageData, Row


@dataclass(frozen=True, slots=True)
class Notice:
    """What is wrong, since when, and which KPIs it touches."""

    title: str
    sentence: str
    touches: str = ""


def notices(data: PageData, complaints: Sequence[str]) -> list[Notice]:
    found = [Notice("Tonight", complaint) for complaint in complaints]
    late = [row for row in data["streams"] if row["stream_state"] != "fresh"]
    for (source, account), rows in groupby(late, lambda row: (row["source"], row["account_name"])):
        worst = max(rows, key=lambda row: row["days_behind"] or 10**6)
        title = f"{account} ({source_title(source)}): {lateness(worst)}"
        found.append(Notice(title, _waiting(worst), _touched(data, source)))
    found += [
        Notice(f"{row['account_name']} ({source_title(row['source'])})", row["sentence"])
        for row in data["failures"]
    ]
    return found


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


def _touched(data: PageData, source: str) -> str:
    doubtful = {row["node_id"] for row in data.node("kpi") if row["dq_state"] in ("stale", "held")}
    return figures.listing(
        [
            row["name"]
            for row in data["definitions"]
            if row["kpi_id"] in doubtful and source in (row["sources"] or "").split(", ")
        ]
    )


def source_title(source: str) -> str:
    return SOURCES[source].title if source in SOURCES else source
