"""What a batch's state follows from, and that no row is lost or doubled."""

from __future__ import annotations

from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.verdict import batch_state
from ingest.batch import QUARANTINE, TYPED

ADS = ("google_ads", "campaign_daily")


def typed_rows(batch):
    return pq.read_table(batch.path / TYPED).to_pylist()


def quarantined(batch):
    return pq.read_table(batch.path / QUARANTINE).to_pylist()


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([("pass", "block"), ("fail", "observe"), ("fail", "quarantine")], "passed"),
        ([("error", "observe"), ("skipped", "hold"), ("empty", "block")], "passed"),
        ([("fail", "hold")], "held"),
        ([("error", "quarantine")], "held"),
        ([("fail", "hold"), ("fail", "block")], "blocked"),
        ([("error", "block")], "blocked"),
    ],
    ids=lambda value: (
        str(value) if isinstance(value, str) else "+".join("-".join(v) for v in value)
    ),
)
def test_state_of_a_batch(gatehouse, found, expected):
    template = gatehouse.verdict("hubspot", "owners", []).results[0]
    results = [replace(template, state=s, action=a) for s, a in found]
    assert batch_state(tuple(results)) == expected


KINDS = st.sampled_from(
    ["sound", "again", "conflict", "negative", "mistyped", "no key", "broken", "blank", "outside"]
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(kinds=st.lists(KINDS, max_size=25))
def test_no_row_is_lost_and_none_is_doubled(gatehouse, kinds):
    rows = []
    for number, kind in enumerate(kinds, start=1):
        row = gatehouse.clean(*ADS, number)[-1]
        match kind:
            case "again":
                row = gatehouse.clean(*ADS, 1)[0]
            case "conflict":
                row = gatehouse.clean(*ADS, 2)[1]
                row["metrics"]["clicks"] = str(number)
            case "negative":
                row["metrics"]["costMicros"] = "-1"
            case "mistyped":
                row["metrics"]["clicks"] = "n/a"
            case "no key":
                del row["campaign"]["id"]
            case "outside":
                row["segments"]["date"] = "2020-01-01"
            case "broken":
                row = b'{"customer":'
            case "blank":
                row = b" "
        rows.append(row)
    batch = gatehouse.land(*ADS, rows)
    verdict = gatehouse.gate(batch)
    assert verdict.rows_in == len(rows) == sum(verdict.counts)
    aside = [row["_line"] for row in quarantined(batch)]
    if verdict.state != "passed":
        assert aside == []
        assert verdict.rows_held == len(rows)
        return
    on = [row["_line"] for row in typed_rows(batch)]
    assert len(on) == len(set(on)) == verdict.rows_loaded
    assert len(aside) == len(set(aside)) == verdict.rows_quarantined
    assert not set(on) & set(aside)
    wrong = {"negative", "mistyped", "no key", "broken", "blank", "outside"}
    for line, kind in enumerate(kinds, start=1):
        assert (line in aside) or kind not in wrong
    keys = [row["campaign_id"] for row in typed_rows(batch)]
    assert len(keys) == len(set(keys))
    sound = {str(line) for line, kind in enumerate(kinds, start=1) if kind == "sound"}
    taken = {"1", "2"}  # the numbers that other kinds repeat
    assert sound - taken <= set(keys)
