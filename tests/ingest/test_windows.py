"""Windows: every law is stated over sets of days."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.batch import Window
from ingest.windows import clip, gaps, merge, split, subtract

START = date(2026, 1, 1)
windows = st.builds(
    lambda start, length: Window(
        START + timedelta(days=start), START + timedelta(days=start + length)
    ),
    st.integers(0, 60),
    st.integers(0, 20),
)
many = st.lists(windows, max_size=8)


def days(found) -> set[date]:
    return {
        window.start + timedelta(days=day)
        for window in found
        for day in range((window.end - window.start).days + 1)
    }


def is_tidy(found: list[Window]) -> bool:
    return all(earlier.end + timedelta(days=1) < later.start for earlier, later in pairwise(found))


@given(many)
def test_merging_keeps_the_days_in_as_few_windows(some):
    assert days(merge(some)) == days(some)
    assert is_tidy(merge(some))
    assert merge(merge(some)) == merge(some)


@given(many, many)
def test_subtracting_is_the_difference_of_days(some, taken):
    left = subtract(some, taken)
    assert days(left) == days(some) - days(taken)
    assert is_tidy(left)


@given(many, windows)
def test_gaps_and_done_days_make_the_whole(done, whole):
    missing = gaps(done, whole)
    assert days(missing) | (days(done) & days([whole])) == days([whole])
    assert not days(missing) & days(done)


@given(many, windows)
def test_clipping_is_the_intersection(some, whole):
    assert days(clip(some, whole)) == days(some) & days([whole])


@given(windows, st.integers(1, 30))
def test_parts_are_adjacent_short_enough_and_all_but_the_last_full(window, longest):
    parts = split(window, longest)
    lengths = [(part.end - part.start).days + 1 for part in parts]
    assert days(parts) == days([window])
    assert sum(lengths) == len(days([window]))
    assert all(length == longest for length in lengths[:-1])
    assert 1 <= lengths[-1] <= longest


def test_a_part_has_at_least_one_day():
    with pytest.raises(ValueError, match="at least one day"):
        split(Window(START, START), 0)


def test_a_window_does_not_end_before_it_starts():
    with pytest.raises(ValueError, match="ends on or after"):
        Window(date(2026, 1, 2), date(2026, 1, 1))
