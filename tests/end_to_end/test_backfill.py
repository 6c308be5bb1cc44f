"""Days asked for anew come in the newest night and replace what was landed of them before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

import pytest
from pandas.testing import assert_frame_equal

from boscard.backfill import asking
from publish.explain import explain
from publish.period import parse_period
from tests.end_to_end.conftest import SECOND, START, VIEWS, Left
from tests.end_to_end.nights import Installation, rows_of

pytestmark = pytest.mark.slow

LAST = date(2026, 9, 20)


def test_a_backfill_changes_no_number_and_asks_once(
    another: Callable[[], AbstractContextManager[Installation]], second: Left
) -> None:
    with another() as installation:
        night = asking(installation.night(SECOND), START, LAST)
        assert installation.ingest(night) == {}
        installation.publish(night)
        # More batches are checked, and the checks of a night are what L07 counts.
        for view in VIEWS:
            rows, before = (rows_of(each) for each in (installation.read(view), second.views[view]))
            if view == "kpi_values":
                rows, before = (each[each["kpi_id"] != "L07"] for each in (rows, before))
            assert_frame_equal(rows, before)
        assert night.complaints() == []
        tonight = [
            batch.manifest
            for batch in night.landing.batches()
            if batch.manifest.as_of_date == SECOND
        ]
        asked = {
            manifest.stream: manifest.window.start
            for manifest in tonight
            if manifest.window is not None and manifest.window.start == START
        }
        assert set(asked) == {
            *("campaign_daily", "ad_group_daily", "ad_daily", "responses"),
            *("contacts", "companies", "deals"),
        }
        calls = installation.sandbox.calls.total()
        assert installation.ingest(night) == {}
        assert installation.sandbox.calls.total() == calls
        found = explain(night.home, night.settings, "P01", parse_period("2026-09-10"))
        nights = {batch.as_of_date for stream in found.streams for batch in stream.batches}
        assert nights == {SECOND}
