from __future__ import annotations

from datetime import date

import pytest

from boscard.backfill import BackfillRefused, asked_window, asking, parameters, sentences
from boscard.clock import Clock
from boscard.home import PROJECT, Home
from boscard.night import Night
from boscard.settings import read_settings
from ingest.batch import Window
from ingest.registry import SOURCES

SETTINGS = read_settings(PROJECT / "boscard.toml")
NIGHT = date(2026, 11, 4)
DAYS = Window(date(2026, 10, 1), date(2026, 10, 9))


@pytest.fixture
def night(tmp_path):
    company = SETTINGS.company
    return Night(SETTINGS, Home(tmp_path), Clock(NIGHT, company.zone, company.publication_hour))


@pytest.mark.parametrize("asked", [None, DAYS, Window(NIGHT, NIGHT)])
def test_what_is_asked_for_reaches_the_dags(asked):
    assert asked_window(parameters(asked)) == asked


def test_a_dag_without_the_parameters_is_asked_for_nothing():
    assert asked_window({"accept_movements": True}) is None


def test_half_a_range_is_refused():
    with pytest.raises(BackfillRefused, match="backfill_from and backfill_to"):
        asked_window({"backfill_from": "2026-10-01", "backfill_to": None})


@pytest.mark.parametrize(
    ("first", "last"),
    [
        pytest.param(date(2025, 9, 30), NIGHT, id="before the history"),
        pytest.param(DAYS.end, DAYS.start, id="backwards"),
        pytest.param(NIGHT, date(2026, 11, 5), id="after the night"),
    ],
)
def test_days_outside_the_history_are_refused(night, first, last):
    with pytest.raises(BackfillRefused, match="2025-10-01"):
        asking(night, first, last)


def test_the_night_asks_the_vendors_for_these_days(night):
    asked = asking(night, DAYS.start, DAYS.end)
    assert asked.asked == DAYS
    assert asked.clock == night.clock


def test_every_stream_is_told_of_and_only_days_come_anew(night):
    assert sentences(night) == []
    told = sentences(asking(night, DAYS.start, DAYS.end))
    for source in SETTINGS.sources:
        for stream in SOURCES[source].streams.values():
            (line,) = [
                line
                for line in told
                if f"{source}.{stream.name}" in line.split(": ")[1].split(", ")
            ]
            assert ("anew" in line) == (stream.load in ("window", "responses"))
            assert ("as they are now" in line) != ("anew" in line)
