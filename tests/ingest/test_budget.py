"""The call budget, by a clock of its own."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from ingest.budget import Budget, Limit


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@given(
    st.integers(1, 5),
    st.floats(0.5, 10),
    st.lists(st.floats(0, 3), min_size=1, max_size=30),
)
def test_no_span_of_the_limit_holds_more_calls_and_none_waits_needlessly(calls, seconds, pauses):
    time = Time()
    budget = Budget({"calls": Limit(calls, seconds)}, lambda: time.now, time.sleep)
    made = []
    for pause in pauses:
        time.now += pause
        wanted = time.now
        budget.take("calls")
        earliest = made[-calls] + seconds if len(made) >= calls else wanted
        assert abs(time.now - max(wanted, earliest)) < 1e-6
        made.append(time.now)


def test_names_have_limits_of_their_own_and_no_limit_costs_nothing():
    time = Time()
    limits = {"calls": Limit(1, 10), "search": Limit(1, 1)}
    budget = Budget(limits, lambda: time.now, time.sleep)
    for name in ("calls", "search", "", "unlimited", "unlimited"):
        budget.take(name)
    assert time.now == 0
    budget.take("search")
    assert time.now == 1


def test_threads_reserve_different_moments():
    waits, lock = [], threading.Lock()

    def sleep(seconds):
        with lock:
            waits.append(round(seconds, 6))

    budget = Budget({"calls": Limit(2, 5)}, lambda: 0.0, sleep)
    threads = [threading.Thread(target=budget.take, args=("calls",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [5, 5, 10, 10]
