"""Rate limits: never more in a window than allowed, and the wait that is told is enough."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox.limits import Daily, Rolling


@given(
    limit=st.integers(1, 5),
    steps=st.lists(st.integers(0, 40).map(lambda tenths: tenths / 8), min_size=1, max_size=60),
)
def test_no_window_ever_holds_more_than_the_limit(limit, steps):
    now = [0.0]
    rolling = Rolling(limit, 2.0, lambda: now[0])
    taken = []
    for step in steps:
        now[0] += step
        wait = rolling.take()
        if wait:
            now[0] += wait
            assert rolling.take() == 0, "the wait that was told is enough"
        taken.append(now[0])
    for start in taken:
        assert len([moment for moment in taken if start <= moment < start + 2.0]) <= limit


@given(st.lists(st.integers(0, 3), max_size=40))
def test_a_day_is_used_up_until_the_next(days):
    daily = Daily(2)
    admitted = [day for day in sorted(days) if daily.take(day)]
    assert admitted == [day for day in range(4) for _ in range(min(2, days.count(day)))]
