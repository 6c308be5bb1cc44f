"""Every row of the fault table, through pull and gate."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

import pytest

from boscard.home import PROJECT
from ingest.errors import Skipped
from ingest.registry import SOURCES
from sandbox.faults import KINDS
from tests.faults.conftest import Bench, Landed, Struck
from tests.faults.table import (
    ELSEWHERE,
    TABLE,
    Believed,
    Case,
    Elsewhere,
    Gone,
    NotPulled,
    Same,
    SetAside,
    Stopped,
)

Undisturbed = Mapping[str, Mapping[tuple[str, str], Landed]]


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_fault(case: Case, bench: Bench, undisturbed: Undisturbed) -> None:
    struck = bench.strike(case)
    sound = {
        place: one for place, one in undisturbed[case.vendor].items() if place[1] == case.stream
    }
    changed = sum(struck.fault.changed.values())
    assert struck.fault.hits or struck.fault.fault == "revoke", "the fault struck no call"
    if not isinstance(case.outcome, NotPulled):
        assert struck.error is None
        assert set(struck.landed) == set(sound)
    for one in struck.landed.values():
        counted = one.verdict
        assert counted.rows_in == sum(
            (
                counted.rows_loaded,
                counted.rows_superseded,
                counted.rows_quarantined,
                counted.rows_held,
            )
        )
        assert one.rows.total() == counted.rows_loaded
    match case.outcome:
        case NotPulled(error):
            if error is Skipped:
                assert struck.error is None
            else:
                assert type(struck.error) is error
                assert (
                    error.__name__ in ("Transient", "Throttled", "UsedUp") or struck.error.next_step
                )
            assert struck.landed == {}
        case Same():
            assert _rows(struck.landed) == _rows(sound)
            assert all(not one.verdict.rows_quarantined for one in struck.landed.values())
        case SetAside(rule, each):
            _set_aside(struck, sound, rule, changed * each)
        case Stopped(rule, state):
            _stopped(struck, sound, rule, state)
        case Gone():
            left, whole = _rows(struck.landed), _rows(sound)
            assert changed > 0
            assert left <= whole
            # A row that a page leaves out at its end is left out of the next one again.
            assert 0 < whole.total() - left.total() <= changed
        case Believed(observed, later):
            assert changed > 0
            _as_told(struck, sound, later)
            for one in struck.landed.values():
                assert one.verdict.state == "passed"
                assert not one.verdict.rows_quarantined
            assert observed is None or any(observed in one.failed for one in struck.landed.values())


def _rows(landed: Mapping[tuple[str, str], Landed]) -> Counter[tuple[str, ...]]:
    return sum((one.rows for one in landed.values()), Counter())


def _as_told(
    struck: Struck, sound: Mapping[tuple[str, str], Landed], later: timedelta | None
) -> None:
    """Of the same keys, the same values, save moments, which are later by so much."""
    moved = 0
    for place, one in struck.landed.items():
        stream = SOURCES[one.batch.manifest.source].streams[place[1]]
        found, before = one.by_key(stream), sound[place].by_key(stream)
        assert found.keys() == before.keys()
        for key, row in found.items():
            for column in stream.columns:
                value, was = row[column.name], before[key][column.name]
                if later is not None and column.type == "timestamp" and was is not None:
                    was += later
                elif column.type == "timestamp" and was != value:
                    moved += 1
                    assert value > was
                    continue
                if column.type != "json" or not later:
                    assert value == was, (key, column.name)
    if later is None:
        assert moved == sum(struck.fault.changed.values())


def test_the_table_has_every_fault_of_every_vendor() -> None:
    told = {(fault["vendor"], fault["fault"]) for case in TABLE for fault in case.faults}
    known = {(vendor, name) for name, kind in KINDS.items() for vendor in kind.vendors}
    assert known - told == set()


@pytest.mark.parametrize("row", ELSEWHERE, ids=lambda row: row.name.replace(" ", "_"))
def test_what_is_proved_elsewhere_has_its_test(row: Elsewhere) -> None:
    path, _, name = row.test.partition("::")
    functions = [
        part.name
        for part in ast.parse((PROJECT / path).read_text("utf-8")).body
        if isinstance(part, ast.FunctionDef)
    ]
    assert name in functions


def _set_aside(
    struck: Struck, sound: Mapping[tuple[str, str], Landed], rule: str, count: int
) -> None:
    """As many rows as were changed are set aside by this rule; the others are as ever."""
    assert count > 0
    assert sum(one.verdict.rows_quarantined for one in struck.landed.values()) == count
    for place, one in struck.landed.items():
        assert one.verdict.state == "passed"
        assert one.rows <= sound[place].rows
        failed = {
            result.rule: result.n_failed
            for result in one.verdict.results
            if result.state == "fail" and result.action == "quarantine"
        }
        rows = one.verdict.rows_quarantined
        assert failed.pop(rule, 0) == rows
        assert all(name.endswith("_present") for name in failed), failed


def _stopped(
    struck: Struck, sound: Mapping[tuple[str, str], Landed], rule: str, state: str
) -> None:
    """Batches are stopped by this rule alone; those the fault did not reach are as ever."""
    stopped = {place for place, one in struck.landed.items() if one.verdict.state != "passed"}
    assert stopped
    for place, one in struck.landed.items():
        if place in stopped:
            assert one.verdict.state == state
            assert {rule} <= one.stopping <= {rule, "mostly_sound"}
            assert one.verdict.rows_held == one.verdict.rows_in
        else:
            assert one.rows == sound[place].rows
