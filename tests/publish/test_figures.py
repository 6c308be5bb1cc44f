from __future__ import annotations

from datetime import date

import pytest

from publish import figures


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1234567.4, "money", "€1,234,567"),
        (61.345, "money", "€61.34"),
        (-12.0, "money", "−€12.00"),
        (15200.0, "money_per_day", "€15,200 a day"),
        (3.124, "percent", "3.12 %"),
        (99.24, "percent", "99.2 %"),
        (3.42, "ratio", "3.42 ×"),
        (38.2, "points", "+38.2"),
        (-7.0, "points", "−7.0"),
        (0.0, "points", "0.0"),
        (-0.001, "points", "0.0"),
        (41.0, "days", "41 days"),
        (41.5, "days", "41.5 days"),
        (1.0, "days", "1 day"),
        (1118.0, "count", "1,118"),
        (None, "money", "–"),
        (2.5, None, "2.50"),
    ],
)
def test_a_figure_carries_its_unit(value: float | None, unit: str | None, expected: str) -> None:
    assert figures.figure(value, unit, "EUR") == expected


def test_an_unusual_currency_is_spelled_out() -> None:
    assert figures.figure(5.0, "money", "SEK") == "SEK 5.00"


@pytest.mark.parametrize(
    ("now", "before", "unit", "expected"),
    [
        (110.0, 100.0, "money", "up 10.0 %"),
        (90.0, 100.0, "count", "down 10.0 %"),
        (3.5, 3.2, "percent", "up 0.30 points"),
        (-5.0, 5.0, "points", "down 10.0 points"),
        (100.0, 100.0, "money", "unchanged"),
        (1.0, 0.0, "money", None),
        (None, 1.0, "money", None),
    ],
)
def test_a_change_is_told_in_words(
    now: float | None, before: float, unit: str, expected: str | None
) -> None:
    assert figures.change(now, before, unit) == expected


def test_dates_periods_and_lists() -> None:
    assert figures.day(date(2026, 5, 3)) == "3 May 2026"
    assert figures.period(date(2026, 5, 1), "month") == "May 2026"
    assert figures.period(date(2026, 4, 1), "quarter") == "2nd quarter of 2026"
    assert figures.listing([]) == ""
    assert figures.listing(["a"]) == "a"
    assert figures.listing(["a", "b", "c"]) == "a, b and c"
