from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from publish.history import Record
from publish.restatements import restatements

RECORD = Record(
    7, "new", "old", date(2026, 5, 21), "", "", "", 1, 0, datetime(2026, 5, 22, tzinfo=UTC)
)
MARCH = {
    "kpi_id": "F01",
    "period_type": "month",
    "period_start": date(2026, 3, 1),
    "segment_type": "channel",
    "segment": "search",
    "value": 10.0,
    "is_running": False,
    "dq_state": "verified",
    "data_through": date(2026, 3, 31),
    "definition_version": 1,
}


def ledger(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[dict[str, Any]]:
    schema = pa.Table.from_pylist([MARCH]).schema
    tables = [pa.Table.from_pylist(rows, schema=schema) for rows in (before, now)]
    return restatements(*tables, "old", RECORD).to_pylist()


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        ({}, {"definition_version": 2}, "definition change"),
        ({"is_running": True}, {}, "new days"),
        ({"data_through": date(2026, 3, 30), "dq_state": "stale"}, {}, "late data"),
        ({"dq_state": "provisional"}, {}, "vendor restatement"),
        ({"dq_state": "verified"}, {}, "correction"),
        ({"value": None}, {}, "correction"),
        ({}, {"value": None}, "correction"),
    ],
    ids=["definition", "running", "late", "vendor", "correction", "from nothing", "to nothing"],
)
def test_the_reason_is_told(before: dict[str, Any], now: dict[str, Any], reason: str) -> None:
    old, new = {**MARCH, **before}, {**MARCH, "value": 11.0, **now}
    (row,) = ledger([old], [new])
    assert (row["reason"], row["old_value"], row["new_value"]) == (
        reason,
        old["value"],
        new["value"],
    )
    assert (row["sequence"], row["from_publication_id"], row["to_publication_id"]) == (
        7,
        "old",
        "new",
    )


def test_equal_values_and_new_periods_are_not_restated() -> None:
    april = {**MARCH, "period_start": date(2026, 4, 1)}
    assert ledger([MARCH], [{**MARCH, "dq_state": "suspect"}, april]) == []


def test_a_value_that_is_gone_is_told() -> None:
    (row,) = ledger([MARCH], [])
    assert (row["reason"], row["new_value"]) == ("definition change", None)
