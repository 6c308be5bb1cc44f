"""Companies of a few rows for the truth, small enough to count by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from boscard.clock import Clock
from sandbox.snapshot import COLUMNS, OPTIONAL_TEXT, Snapshot
from sandbox.truth import truth

BERLIN = ZoneInfo("Europe/Berlin")
START = date(2026, 1, 1)
NIGHT = Clock(date(2026, 6, 30), BERLIN, 7)
Row = dict[str, Any]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def snapshot(now: datetime = NIGHT.now, start: date = START, **rows: list[Row]) -> Snapshot:
    """A company of these rows and no others; what a row leaves out is missing or zero."""
    frames = {}
    for name, columns in COLUMNS.items():
        frame = pd.DataFrame(rows.get(name, []), columns=list(columns), dtype=object)
        for column in columns:
            frame[column] = _typed(name, column, frame[column])
        frames[name] = frame
    return Snapshot(now=now, start=start, time_zone=BERLIN, **frames)


def _typed(name: str, column: str, values: pd.Series) -> pd.Series:
    if column.endswith("_at") or column == "at":
        return pd.to_datetime(values, utc=True).dt.as_unit("us")
    if column in ("date", "start_date"):
        return pd.to_datetime(values).dt.as_unit("s")
    if column in ("impressions", "clicks", "cost_micros"):
        return values.fillna(0).astype("int64")
    if column in ("conversions", "conversions_value"):
        return values.fillna(0).astype("float64")
    if column.startswith("is_"):
        return values.fillna(False).astype(bool)
    if column == "score":
        return values.astype("Int64")
    if column in OPTIONAL_TEXT.get(name, ()):
        return values.where(values.notna(), None)
    return values.fillna("").astype("str")


ACCOUNTS = [
    {"account_id": "1", "currency_code": "EUR"},
    {"account_id": "2", "currency_code": "USD"},
]
CAMPAIGNS = [
    {"account_id": "1", "campaign_id": "11", "channel_type": "SEARCH", "is_listed": True},
    {"account_id": "1", "campaign_id": "12", "channel_type": "PERFORMANCE_MAX"},
    {"account_id": "2", "campaign_id": "21", "channel_type": "SEARCH", "is_listed": True},
]
FORMS = [
    {"form_id": "N", "kind": "nps"},
    {"form_id": "C", "kind": "csat"},
    {"form_id": "P", "kind": "pulse"},
]

_LAST: list[tuple[Snapshot, Clock, pd.DataFrame]] = []


def truth_of(known: Snapshot, clock: Clock) -> pd.DataFrame:
    """The truth, kept for the next question about the same company."""
    if not _LAST or _LAST[0][0] is not known or _LAST[0][1] != clock:
        _LAST[:] = [(known, clock, truth(known, clock))]
    return _LAST[0][2]


def counted(
    known: Snapshot, component: str, segment_type: str = "company", clock: Clock = NIGHT
) -> dict[tuple[str, str], Any]:
    """The values of one component by (day, segment)."""
    rows = truth_of(known, clock)
    rows = rows[(rows["kpi_component"] == component) & (rows["segment_type"] == segment_type)]
    keys = zip(rows["date"].dt.strftime("%Y-%m-%d"), rows["segment"], strict=True)
    return dict(zip(keys, rows["value"], strict=True))


def total(known: Snapshot, component: str, **options: Any) -> Any:
    return sum(counted(known, component, **options).values())


def contact(number: int, **values: Any) -> Row:
    created = values.pop("created_at", utc("2026-03-01 12:00"))
    return {"contact_id": str(number), "created_at": created, **values}


def deal(number: int, stage: str = "closedwon", **values: Any) -> Row:
    return {
        "deal_id": str(number),
        "created_at": utc("2026-03-01 12:00"),
        "stage_id": stage,
        "amount": "100.00",
        "currency_code": "EUR",
        "close_at": utc("2026-03-11 12:00"),
    } | values
