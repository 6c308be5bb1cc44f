"""A leap day and both changes to summer time (America first) in one history: the truth, to the row.

The change back is in the four nights of `test_truth`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pandas as pd
import pytest

from tests.end_to_end.expected import differences
from tests.end_to_end.nights import Installation, installed, small_settings

START, SCALE = date(2028, 2, 27), 0.05
LEAP_DAY = date(2028, 2, 29)
CHANGES = {"America/New_York": date(2028, 3, 12), "Europe/Berlin": date(2028, 3, 26)}
NIGHT = CHANGES["Europe/Berlin"] + timedelta(days=5)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """After the day that has twenty-three hours, and after five more days of summer time."""
    with installed(tmp_path_factory.mktemp("clocks"), small_settings(START, SCALE)) as ready:
        ready.run(CHANGES["Europe/Berlin"])
        assert wrong(ready, CHANGES["Europe/Berlin"]) == []
        ready.run(NIGHT)
        yield ready


def wrong(installation: Installation, night: date) -> list[str]:
    return differences(installation.read("kpi_values"), installation.expected(night))


def test_every_published_value_is_the_truth(lived: Installation) -> None:
    assert wrong(lived, NIGHT) == []


def test_each_of_these_days_is_there_once(lived: Installation) -> None:
    days = lived.read("kpi_values").query("period_type == 'day' and segment == 'company'")
    spent = days[(days["kpi_id"] == "F01") & days["value"].notna()]
    counts = spent.groupby("period_start").size()
    assert counts[pd.to_datetime([LEAP_DAY, *CHANGES.values()])].tolist() == [1, 1, 1]
