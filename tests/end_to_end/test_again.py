"""The same night twice is the same publication; asking the vendors anew changes no number."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from pandas.testing import assert_frame_equal

from tests.end_to_end.conftest import SECOND, VIEWS, Left, lived
from tests.end_to_end.nights import Installation, rows_of

pytestmark = pytest.mark.slow

Another = Callable[[], AbstractContextManager[Installation]]


def test_the_same_night_again_changes_nothing(another: Another, second: Left) -> None:
    with another() as installation:
        once = lived(installation, SECOND)
        batches = _batches(installation)
        calls = installation.sandbox.calls.total()
        again = lived(installation, SECOND)
        assert _batches(installation) == batches
        assert installation.sandbox.calls.total() == calls
        record, other = once.publication.record, again.publication.record
        assert other == record
        assert again.publication.changed_rows == 0
        assert once.publication.changed_rows > 0
        for view, rows in once.views.items():
            assert_frame_equal(again.views[view], rows)
        # Another home, other ports and processes, another moment: still the same night.
        assert record.content_hash == second.publication.content_hash

        night = installation.night(SECOND)
        assert not installation.ingest(night, again=True)
        anew = installation.publish(night)
        assert len(_batches(installation)) > len(batches)
        # Its batches are checked anew, and the checks of a night are what L07 counts.
        assert anew.content_hash != record.content_hash
        values, before = map(rows_of, (installation.read("kpi_values"), once.views["kpi_values"]))
        assert_frame_equal(values[values["kpi_id"] != "L07"], before[before["kpi_id"] != "L07"])
        for view in VIEWS[1:]:
            assert_frame_equal(rows_of(installation.read(view)), rows_of(once.views[view]))


def _batches(installation: Installation) -> list[str]:
    landing = installation.night(SECOND).landing
    return [str(batch.path) for batch in landing.batches()]
