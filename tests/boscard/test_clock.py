"""The clock: a night is a day of data seen at the publication hour of the next day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boscard.clock import Clock, start_of_day

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("day", "now"),
    [
        pytest.param(date(2026, 11, 4), datetime(2026, 11, 5, 6, tzinfo=UTC), id="winter"),
        pytest.param(date(2026, 7, 4), datetime(2026, 7, 5, 5, tzinfo=UTC), id="summer"),
        pytest.param(date(2026, 3, 28), datetime(2026, 3, 29, 5, tzinfo=UTC), id="clocks forward"),
        pytest.param(date(2026, 10, 24), datetime(2026, 10, 25, 6, tzinfo=UTC), id="clocks back"),
        pytest.param(date(2028, 2, 28), datetime(2028, 2, 29, 6, tzinfo=UTC), id="leap day"),
    ],
)
def test_now_is_the_publication_hour_of_the_next_day(day, now):
    assert Clock(day, BERLIN, 7).now == now


@pytest.mark.parametrize(
    ("zone", "settled"),
    [
        pytest.param("Europe/Berlin", date(2026, 11, 4), id="the business zone itself"),
        pytest.param("America/New_York", date(2026, 11, 4), id="past midnight there"),
        pytest.param("America/Los_Angeles", date(2026, 11, 3), id="still yesterday there"),
        pytest.param("Asia/Tokyo", date(2026, 11, 4), id="far ahead"),
        pytest.param("Pacific/Kiritimati", date(2026, 11, 4), id="furthest ahead"),
    ],
)
def test_a_day_is_settled_when_it_is_over_in_the_accounts_own_zone(zone, settled):
    assert Clock(date(2026, 11, 4), BERLIN, 7).settled_day(ZoneInfo(zone)) == settled


@given(
    day=st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "UTC", "Australia/Lord_Howe"]),
    hour=st.integers(5, 23),
)
def test_the_end_of_an_airflow_interval_names_the_night(day, zone, hour):
    clock = Clock(day, ZoneInfo(zone), hour)
    assert Clock.at(clock.now, clock.time_zone, hour) == clock


def test_days_begin_where_daylight_saving_says():
    assert start_of_day(date(2026, 3, 29), BERLIN) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert start_of_day(date(2026, 3, 30), BERLIN) == datetime(2026, 3, 29, 22, tzinfo=UTC)


def test_a_moment_of_pendulum_gives_a_plain_date():
    pendulum = pytest.importorskip("pendulum")
    clock = Clock.at(pendulum.datetime(2026, 11, 5, 6), BERLIN, 7)
    assert type(clock.as_of_date) is date
    assert clock.as_of_date == date(2026, 11, 4)


@pytest.mark.parametrize(
    ("moment", "night"),
    [
        pytest.param(datetime(2026, 11, 5, 6, tzinfo=UTC), date(2026, 11, 4), id="at the hour"),
        pytest.param(datetime(2026, 11, 5, 5, 59, tzinfo=UTC), date(2026, 11, 3), id="before it"),
        pytest.param(
            datetime(2026, 11, 5, 22, 59, tzinfo=UTC), date(2026, 11, 4), id="late at night"
        ),
        pytest.param(
            datetime(2026, 11, 5, 23, 30, tzinfo=UTC), date(2026, 11, 4), id="past midnight"
        ),
    ],
)
def test_the_newest_night_is_the_one_whose_hour_has_come(moment, night):
    assert Clock.newest(moment, BERLIN, 7).as_of_date == night
