"""Planning: what is due, night after night, whatever has landed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.batch import Window
from ingest.plan import Landed, due
from ingest.stream import Stream

DAY = timedelta(days=1)
START, NIGHT = date(2026, 8, 1), date(2026, 11, 1)
WHOLE = Window(START, NIGHT)


def stream(load="window", restatement_days=30, window_days=450, **more) -> Stream:
    days = {"restatement_days": restatement_days, "window_days": window_days}
    return Stream("s", load, ("k",), (), lambda pull: iter(()), **days, **more)


def landed(start, end, as_of, sequence=1, is_held=False, is_blocked=False) -> Landed:
    return Landed(Window(start, end), as_of, sequence, is_held, is_blocked)


WEEKLY = stream("snapshot", every_days=7)
BLOCKED = {"is_held": True, "is_blocked": True}


CASES = {
    "first night: the whole history": (stream(), [], [WHOLE]),
    "first night in parts": (
        stream(window_days=50),
        [],
        [Window(START, date(2026, 9, 19)), Window(date(2026, 9, 20), NIGHT)],
    ),
    "next night: the restatement window and the new day": (
        stream(),
        [landed(START, NIGHT - DAY, NIGHT - DAY)],
        [Window(NIGHT - 30 * DAY, NIGHT)],
    ),
    "after four nights without a pull: the days that were not final at the last one": (
        stream(),
        [landed(START, NIGHT - 5 * DAY, NIGHT - 5 * DAY)],
        [Window(NIGHT - 34 * DAY, NIGHT)],
    ),
    "the same night again: nothing": (stream(), [landed(START, NIGHT, NIGHT)], []),
    "half of tonight has landed: the other half": (
        stream(),
        [landed(START, date(2026, 9, 1), NIGHT)],
        [Window(date(2026, 9, 2), NIGHT)],
    ),
    "a gap in the past is filled": (
        stream(restatement_days=3),
        [
            landed(START, date(2026, 8, 31), NIGHT - DAY),
            landed(date(2026, 9, 3), NIGHT - DAY, NIGHT - DAY, 2),
        ],
        [Window(date(2026, 9, 1), date(2026, 9, 2)), Window(NIGHT - 3 * DAY, NIGHT)],
    ),
    "a window held on an earlier night is due whole": (
        stream(restatement_days=3),
        [
            landed(START, NIGHT - 2 * DAY, NIGHT - 2 * DAY),
            landed(NIGHT - 20 * DAY, NIGHT - DAY, NIGHT - DAY, 2, is_held=True),
        ],
        [Window(NIGHT - 20 * DAY, NIGHT)],
    ),
    "a held window that came well since is not due": (
        stream(restatement_days=3),
        [
            landed(START, NIGHT - 3 * DAY, NIGHT - 3 * DAY),
            landed(NIGHT - 20 * DAY, NIGHT - 2 * DAY, NIGHT - 2 * DAY, 2, is_held=True),
            landed(NIGHT - 20 * DAY, NIGHT - DAY, NIGHT - DAY, 3),
        ],
        [Window(NIGHT - 3 * DAY, NIGHT)],
    ),
    "a window held tonight is not pulled again tonight": (
        stream(),
        [
            landed(START, NIGHT - DAY, NIGHT - DAY),
            landed(NIGHT - 30 * DAY, NIGHT, NIGHT, 2, is_held=True),
        ],
        [],
    ),
    "a held first night: everything again": (
        stream(),
        [landed(START, NIGHT - DAY, NIGHT - DAY, is_held=True)],
        [WHOLE],
    ),
    "changes, first night": (stream("changes", 1), [], [WHOLE]),
    "changes since the night that landed last": (
        stream("changes", 1),
        [
            landed(START, NIGHT - 5 * DAY, NIGHT - 5 * DAY),
            landed(NIGHT - 7 * DAY, NIGHT - 4 * DAY, NIGHT - 4 * DAY, 2),
        ],
        [Window(NIGHT - 5 * DAY, NIGHT)],
    ),
    "changes held last night: since the night before": (
        stream("changes", 1),
        [
            landed(START, NIGHT - 2 * DAY, NIGHT - 2 * DAY),
            landed(NIGHT - 3 * DAY, NIGHT - DAY, NIGHT - DAY, 2, is_held=True),
        ],
        [Window(NIGHT - 3 * DAY, NIGHT)],
    ),
    "changes, the same night again": (stream("changes", 1), [landed(START, NIGHT, NIGHT)], []),
    "a complete list": (stream("snapshot"), [Landed(None, NIGHT - DAY, 1, False)], [None]),
    "a complete list, the same night again": (
        stream("replace"),
        [Landed(None, NIGHT, 1, False)],
        [],
    ),
    "a list of once a week, six nights ago": (
        WEEKLY,
        [Landed(None, NIGHT - 6 * DAY, 1, False)],
        [],
    ),
    "a list of once a week, seven nights ago": (
        WEEKLY,
        [Landed(None, NIGHT - 7 * DAY, 1, False)],
        [None],
    ),
    "a list of once a week, held last night": (
        WEEKLY,
        [Landed(None, NIGHT - 8 * DAY, 1, False), Landed(None, NIGHT - DAY, 2, True)],
        [None],
    ),
    "a list of once a week, the same night again": (WEEKLY, [Landed(None, NIGHT, 1, False)], []),
    "a list that is held tonight is not due again": (
        stream("snapshot"),
        [Landed(None, NIGHT, 1, True)],
        [],
    ),
    "a list that blocks tonight": (stream("snapshot"), [Landed(None, NIGHT, 1, **BLOCKED)], [None]),
    "a list that blocked tonight, then was sound": (
        stream("snapshot"),
        [Landed(None, NIGHT, 1, **BLOCKED), Landed(None, NIGHT, 2, False)],
        [],
    ),
    "a list that was sound tonight, then blocked": (
        WEEKLY,
        [
            Landed(None, NIGHT - DAY, 1, False),
            Landed(None, NIGHT, 2, False),
            Landed(None, NIGHT, 3, **BLOCKED),
        ],
        [None],
    ),
    "days that block tonight, and others that do not": (
        stream(restatement_days=3),
        [
            landed(START, NIGHT - DAY, NIGHT - DAY),
            landed(NIGHT - 3 * DAY, NIGHT - 2 * DAY, NIGHT, 2),
            landed(NIGHT - DAY, NIGHT, NIGHT, 3, **BLOCKED),
        ],
        [Window(NIGHT - DAY, NIGHT)],
    ),
    "changes that block tonight": (
        stream("changes", 1),
        [
            landed(START, NIGHT - DAY, NIGHT - DAY),
            landed(NIGHT - 2 * DAY, NIGHT, NIGHT, 2, **BLOCKED),
        ],
        [Window(NIGHT - 2 * DAY, NIGHT)],
    ),
    "a past night asks for no list of today": (
        stream("snapshot"),
        [Landed(None, NIGHT + DAY, 1, False)],
        [],
    ),
}


@pytest.mark.parametrize(("stream", "landed", "expected"), CASES.values(), ids=CASES)
def test_due(stream, landed, expected):
    assert due(stream, landed, as_of=NIGHT, whole=WHOLE) == expected


@pytest.mark.parametrize("load", ["window", "changes", "responses", "snapshot", "replace"])
def test_again_pulls_what_the_night_had_pulled(load):
    before = [landed(START, NIGHT - DAY, NIGHT - DAY)]
    tonight = [*before, landed(START, NIGHT, NIGHT, 2)]
    kind = stream(load)
    assert due(kind, tonight, as_of=NIGHT, whole=WHOLE) == []
    again = due(kind, tonight, as_of=NIGHT, whole=WHOLE, again=True)
    assert again == due(kind, before, as_of=NIGHT, whole=WHOLE) != []


ASKED = Window(date(2026, 8, 10), date(2026, 8, 20))
BEFORE = [landed(START, NIGHT - DAY, NIGHT - DAY)]
RESTATED = Window(NIGHT - 3 * DAY, NIGHT)
ASKED_CASES = {
    "days are due beside what is due anyway": (
        stream("window", 3),
        BEFORE,
        ASKED,
        [ASKED, RESTATED],
    ),
    "days after tonight's pull": (
        stream("responses", 3),
        [*BEFORE, landed(RESTATED.start, NIGHT, NIGHT, 2)],
        ASKED,
        [ASKED],
    ),
    "days that came tonight": (
        stream("window", 3),
        [
            *BEFORE,
            landed(START, date(2026, 8, 12), NIGHT, 2),
            landed(RESTATED.start, NIGHT, NIGHT, 3),
        ],
        ASKED,
        [Window(date(2026, 8, 13), ASKED.end)],
    ),
    "days in parts": (
        stream("window", 0, window_days=6),
        [*BEFORE, landed(NIGHT, NIGHT, NIGHT, 2)],
        ASKED,
        [Window(ASKED.start, date(2026, 8, 15)), Window(date(2026, 8, 16), ASKED.end)],
    ),
    "days outside the history are left out": (
        stream("window", 0),
        [*BEFORE, landed(NIGHT, NIGHT, NIGHT, 2)],
        Window(START - 9 * DAY, START),
        [Window(START, START)],
    ),
    "changes since the first day asked for": (
        stream("changes", 1),
        BEFORE,
        ASKED,
        [Window(ASKED.start, NIGHT)],
    ),
    "changes after tonight's pull": (
        stream("changes", 1),
        [*BEFORE, landed(NIGHT - 2 * DAY, NIGHT, NIGHT, 2)],
        ASKED,
        [Window(ASKED.start, NIGHT)],
    ),
    "changes of days that are in tonight's pull": (
        stream("changes", 1),
        [*BEFORE, landed(ASKED.start, NIGHT, NIGHT, 2)],
        ASKED,
        [],
    ),
    "a list of once a week is due when days are asked for": (
        WEEKLY,
        [Landed(None, NIGHT - DAY, 1, False)],
        ASKED,
        [None],
    ),
    "a complete list has no days": (
        stream("snapshot"),
        [Landed(None, NIGHT, 1, False)],
        ASKED,
        [],
    ),
}


@pytest.mark.parametrize(
    ("stream", "landed", "asked", "expected"), ASKED_CASES.values(), ids=ASKED_CASES
)
def test_days_asked_for_are_due_once_a_night(stream, landed, asked, expected):
    planned = due(stream, landed, as_of=NIGHT, whole=WHOLE, asked=asked)
    assert planned == expected
    after = [*landed, *(Landed(window, NIGHT, 9, False) for window in planned)]
    assert due(stream, after, as_of=NIGHT, whole=WHOLE, asked=asked) == []


@pytest.mark.parametrize("load", ["window", "changes", "responses"])
def test_nothing_is_due_before_history_starts(load):
    assert due(stream(load), [], as_of=NIGHT, whole=None) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 92), st.integers(0, 40), st.integers(0, 5), st.booleans()),
        max_size=8,
    ),
    st.integers(0, 40),
    st.integers(1, 60),
    st.sampled_from(["window", "responses"]),
)
def test_after_the_plan_is_landed_every_day_is_there_and_nothing_is_due(
    history, restatement_days, window_days, load
):
    kind = stream(load, restatement_days, window_days)
    batches = [
        landed(
            START + first * DAY,
            min(START + (first + length) * DAY, NIGHT),
            NIGHT - (age + 1) * DAY,
            number,
            is_held,
        )
        for number, (first, length, age, is_held) in enumerate(history, 1)
    ]
    planned = due(kind, batches, as_of=NIGHT, whole=WHOLE)
    assert all(window is not None for window in planned)
    assert all(window.start >= START and window.end <= NIGHT for window in planned)
    assert all((window.end - window.start).days < window_days for window in planned)
    after = [
        *batches,
        *(
            landed(window.start, window.end, NIGHT, 100 + number)
            for number, window in enumerate(planned)
        ),
    ]
    assert due(kind, after, as_of=NIGHT, whole=WHOLE) == []
    good = {
        batch.window.start + day * DAY
        for batch in after
        if not batch.is_held
        for day in range((batch.window.end - batch.window.start).days + 1)
    }
    assert good >= {START + day * DAY for day in range((NIGHT - START).days + 1)}
