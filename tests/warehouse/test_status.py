from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.batch import Window
from tests.warehouse.landed import land
from warehouse.status import gap_free_end

NIGHT = date(2025, 10, 20)
START = date(2025, 10, 1)


def day(number: int) -> date:
    return date(2025, 10, number)


def status(report, stream, account="100"):
    return next(s for s in report.statuses if (s.stream, s.account) == (stream, account))


CASES = {
    "nothing loaded": ([], "missing", None),
    "all days": ([(1, 20, "passed")], "fresh", 20),
    "until yesterday": ([(1, 19, "passed")], "late", 19),
    "a gap": ([(1, 5, "passed"), (7, 20, "passed")], "late", 5),
    "the gap closed later": ([(1, 5, "passed"), (7, 20, "passed"), (6, 6, "passed")], "fresh", 20),
    "without the first day": ([(2, 20, "passed")], "missing", None),
    "the newest is held": ([(1, 19, "passed"), (17, 20, "held")], "held", 19),
    "held, then passed": ([(1, 20, "held"), (1, 20, "passed")], "fresh", 20),
    "blocked": ([(1, 20, "blocked")], "held", None),
}


@pytest.mark.parametrize(("batches", "state", "through"), CASES.values(), ids=CASES.keys())
def test_a_stream_of_days(landing, load_night, batches, state, through) -> None:
    for first, last, verdict in batches:
        window = (day(first), day(last))
        land(
            *(landing, "google_ads", "100", "campaign_daily", []),
            as_of=NIGHT,
            window=window,
            state=verdict,
        )
    found = status(load_night(), "campaign_daily")
    assert (found.state, found.loaded_through) == (state, day(through) if through else None)
    assert found.expected_through == NIGHT


def test_a_complete_list_is_as_of_its_night(landing, load_night) -> None:
    land(landing, "google_ads", "100", "campaigns", [], as_of=NIGHT)
    assert status(load_night(), "campaigns").state == "fresh"
    later = status(load_night(NIGHT + timedelta(days=1)), "campaigns")
    assert (later.state, later.loaded_through) == ("late", NIGHT)


def test_a_list_of_once_a_week_is_late_after_a_week(landing, load_night) -> None:
    land(landing, "hubspot", "300", "contact_ids", [], as_of=NIGHT)
    found = [
        status(load_night(NIGHT + timedelta(days=days)), "contact_ids", "300").state
        for days in (0, 6, 7)
    ]
    assert found == ["fresh", "fresh", "late"]


def test_every_account_and_stream_has_one_row_a_night(load_night, query) -> None:
    load_night()
    load_night(NIGHT + timedelta(days=1))
    load_night(NIGHT + timedelta(days=1))
    sql = "select as_of_date, source, count(*) from ops.stream_status group by all order by all"
    each = [("google_ads", 13), ("hubspot", 10), ("typeform", 3)]
    nights = [NIGHT, NIGHT + timedelta(days=1)]
    assert query(sql) == [(night, *one) for night in nights for one in each]


def test_a_stream_of_a_connection_is_named_after_it(load_night) -> None:
    report = load_night()
    assert [s.account for s in report.statuses if s.stream == "customers"] == ["google_ads"]


windows = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 10)).map(
        lambda pair: Window(
            START + timedelta(days=pair[0]), START + timedelta(days=pair[0] + pair[1])
        )
    )
)


@given(windows)
def test_the_run_ends_before_the_first_day_missing(loaded: list[Window]) -> None:
    days = {
        window.start + timedelta(days=n)
        for window in loaded
        for n in range((window.end - window.start).days + 1)
    }
    missing = START
    while missing in days:
        missing += timedelta(days=1)
    expected = missing - timedelta(days=1) if missing > START else None
    assert gap_free_end(loaded, START) == expected
