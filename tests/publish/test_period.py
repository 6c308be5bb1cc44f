from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publish.period import PERIOD_TYPES, NotAPeriodError, parse_period, period_of

DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        pytest.param("2026-11-04", date(2026, 11, 4), date(2026, 11, 4), id="day"),
        pytest.param("2026-W45", date(2026, 11, 2), date(2026, 11, 8), id="week"),
        pytest.param("2026-W53", date(2026, 12, 28), date(2027, 1, 3), id="week over a new year"),
        pytest.param("2025-W01", date(2024, 12, 30), date(2025, 1, 5), id="week of last year"),
        pytest.param("2024-02", date(2024, 2, 1), date(2024, 2, 29), id="leap month"),
        pytest.param("2026-Q4", date(2026, 10, 1), date(2026, 12, 31), id="quarter"),
    ],
)
def test_a_name_is_its_days(name, start, end):
    period = parse_period(name)
    assert (period.start, period.end, period.name) == (start, end, name)


@pytest.mark.parametrize(
    "name", ["", "2026", "2026-13", "2026-W54", "2025-W53", "2026-Q5", "4.11."]
)
def test_what_is_no_period_is_refused(name):
    with pytest.raises(NotAPeriodError, match="an ISO week"):
        parse_period(name)


@given(DAYS, st.sampled_from(PERIOD_TYPES))
def test_a_period_has_its_day_and_is_found_by_its_name(day, type_):
    period = period_of(day, type_)
    assert period.start <= day <= period.end
    assert parse_period(period.name) == period
    after = period_of(period.end + timedelta(days=1), type_)
    assert after.start == period.end + timedelta(days=1)
