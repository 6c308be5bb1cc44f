"""A batch is superseded exactly when no row of it counts any more, whatever is held in between."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.batch import Window
from ingest.plan import Landed
from ingest.registry import SOURCES
from ingest.superseded import superseded

START = date(2026, 1, 1)
DAYS = SOURCES["google_ads"].streams["campaign_daily"]
LIST = SOURCES["google_ads"].streams["campaigns"]
CHANGES = SOURCES["hubspot"].streams["contacts"]


def landed(sequence, first, length, is_held):
    start = START + timedelta(days=first)
    window = Window(start, start + timedelta(days=length))
    return Landed(window, START + timedelta(days=60 + sequence), sequence, is_held)


batches = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 8), st.booleans()), max_size=10
).map(lambda drawn: [landed(number, *one) for number, one in enumerate(drawn, start=1)])


@given(batches)
def test_days_are_superseded_when_each_came_again(ledger):
    owners = {}
    for batch in ledger:
        if not batch.is_held:
            for offset in range((batch.window.end - batch.window.start).days + 1):
                owners[batch.window.start + timedelta(days=offset)] = batch.sequence

    def days(batch):
        length = (batch.window.end - batch.window.start).days + 1
        return [batch.window.start + timedelta(days=offset) for offset in range(length)]

    replaced = [
        batch.sequence
        for batch in ledger
        if all(owners.get(day, 0) > batch.sequence for day in days(batch))
    ]
    assert superseded(DAYS, ledger) == replaced


@given(batches)
def test_the_order_of_the_ledger_does_not_matter(ledger):
    assert superseded(DAYS, ledger[::-1]) == superseded(DAYS, ledger)


@pytest.mark.parametrize(
    ("held", "gone"),
    [
        pytest.param([False, False, False], [1, 2], id="the newest list counts"),
        pytest.param([False, True], [], id="a held list replaces nothing"),
        pytest.param([False, True, False], [1, 2], id="it is replaced itself"),
        pytest.param([False], [], id="the only one"),
    ],
)
def test_a_complete_list_is_superseded_by_the_next_that_went_on(held, gone):
    ledger = [
        Landed(None, START + timedelta(days=number), number, is_held)
        for number, is_held in enumerate(held, start=1)
    ]
    assert superseded(LIST, ledger) == gone


@given(batches)
def test_changes_are_never_superseded(ledger):
    assert superseded(CHANGES, ledger) == []
