"""Telling lineage never stands in a night's way."""

from __future__ import annotations

import logging

import pytest
from airflow.providers.openlineage import api

from boscard import open_lineage
from boscard.lineage import Part, Place
from boscard.open_lineage import tell

PARTS = [Part(f"part {n}", (Place("file", "/in"),), ()) for n in range(3)]


@pytest.fixture
def told(monkeypatch):
    """What is emitted where OpenLineage listens."""
    told = []
    monkeypatch.setattr(api, "is_openlineage_active", lambda: True)
    monkeypatch.setattr(api, "emit", told.append)
    monkeypatch.setattr(open_lineage, "_event", lambda part: part.name)
    return told


def test_every_part_is_told(told):
    tell(lambda: PARTS)
    assert told == ["part 0", "part 1", "part 2"]


def test_nothing_is_looked_up_where_nobody_listens(told, monkeypatch):
    monkeypatch.setattr(api, "is_openlineage_active", lambda: False)
    tell(lambda: pytest.fail("looked up"))
    assert told == []


def test_a_collector_that_does_not_answer_is_given_up(told, monkeypatch, caplog):
    clock = iter([0.0, 1.0, open_lineage.SECONDS + 1.0])
    monkeypatch.setattr(open_lineage.time, "monotonic", lambda: next(clock))
    with caplog.at_level(logging.WARNING):
        tell(lambda: PARTS)
    assert told == ["part 0"]
    assert "told 1 of 3" in caplog.text


def test_an_error_is_logged_and_goes_no_further(told, caplog):
    def broken():
        raise KeyError("no such stream")

    with caplog.at_level(logging.WARNING):
        tell(broken)
    assert told == []
    assert "not told" in caplog.text
