"""How many rows may be expected: pure arithmetic over what earlier batches had."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from expectations.history import History
from expectations.verdict import FORMAT, Profile, Verdict
from ingest.batch import Manifest, Window

START = date(2026, 1, 1)


def day(number):
    return START + timedelta(days=number)


def past(*batches):
    """A history of (night, rows or rows by day number, state, window length) tuples."""
    pairs = []
    for sequence, (night, rows, state, length) in enumerate(batches, start=1):
        per_day = rows if isinstance(rows, dict) else {}
        total = sum(per_day.values()) if isinstance(rows, dict) else rows
        window = Window(day(night - length + 1), day(night)) if length else None
        manifest = Manifest(
            FORMAT, "b", "s", "a", "t", window, day(night), sequence, total, 1, 0, "", ""
        )
        profile = Profile(total, {str(day(n)): count for n, count in per_day.items()}, (), {})
        held = 0 if state == "passed" else total
        verdict = Verdict(FORMAT, "b", state, total, total - held, 0, 0, held, (), profile, {}, "")
        pairs.append((manifest, verdict))
    return tuple(pairs)


def judged(history, window, rows):
    counts = {day(number): count for number, count in rows.items()}
    volumes = history.days(Window(day(window[0]), day(window[1])), counts)
    missing = [date.fromisoformat(v.item) for v in volumes if v.is_missing]
    thin = [date.fromisoformat(v.item) for v in volumes if v.is_thin]
    number = lambda found: [(one - START).days for one in found]  # noqa: E731
    return number(missing), number(thin)


FIRST = History(day(30))
STEADY = dict.fromkeys(range(31), 20)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (STEADY, ([], [])),
        ({**STEADY, 15: 0}, ([15], [])),
        ({**STEADY, 30: 0}, ([30], [])),
        ({**STEADY, 15: 9}, ([], [15])),
        ({**STEADY, 15: 10}, ([], [])),
        ({n: c for n, c in STEADY.items() if n >= 10}, ([], [])),
        ({n: 4 for n in range(31) if n != 15}, ([], [])),
        ({n: 10 + n for n in range(31)}, ([], [])),
        ({n: 20 if n % 7 < 5 else 11 for n in range(31)}, ([], [])),
        ({3: 20, 5: 20}, ([], [])),
        ({}, ([], [])),
    ],
    ids=[
        "steady", "a day missing", "the last day missing", "a day thin", "half is enough",
        "the account began later", "too few rows to say", "growing", "quiet weekends",
        "too few days to say", "nothing at all",
    ],
)  # fmt: skip
def test_days_of_a_first_batch(rows, expected):
    assert judged(FIRST, (0, 30), rows) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [(20, ([], [])), (16, ([], [])), (15, ([], [30])), (0, ([30], []))],
    ids=["the same", "a fifth less", "more than a fifth less", "gone"],
)
def test_a_day_seen_before_is_compared_with_itself(count, expected):
    history = History(day(31), past((30, STEADY, "passed", 31)))
    rows = {**dict.fromkeys(range(20, 32), 20), 30: count}
    assert judged(history, (20, 31), rows) == expected


def test_what_was_held_is_nothing_to_compare_with():
    doubled = dict.fromkeys(range(31), 200)
    history = History(day(31), past((30, doubled, "held", 31)))
    assert judged(history, (0, 31), dict.fromkeys(range(32), 20)) == ([], [])


@pytest.mark.parametrize(
    ("nights", "expected"),
    [
        ([], [20]),
        ([29], [20]),
        ([28, 29], []),
        ([29, 29, 29], [20]),
        ([30, 30], [20]),
    ],
    ids=["at once", "second night", "third night", "one night asked thrice", "the same night"],
)
def test_what_is_told_on_three_nights_is_an_answer(nights, expected):
    without = {number: 20 for number in range(28) if number != 20}
    history = History(day(30), past(*((night, without, "held", 30) for night in nights)))
    assert judged(history, (1, 27), without)[0] == expected
    window = Window(day(1), day(27))
    told = [
        v.item for v in history.days(window, {day(n): c for n, c in without.items()}) if v.is_told
    ]
    assert told == ([] if expected else [str(day(20))])


def test_three_nights_that_differ_are_no_answer():
    counts = dict.fromkeys(range(28), 20)
    told = [(28, {**counts, 20: 5}, "held", 30), (29, {**counts, 20: 7}, "held", 30)]
    assert judged(History(day(30), past(*told)), (1, 27), {**counts, 20: 0}) == ([20], [])


@pytest.mark.parametrize(
    ("rows", "least", "is_missing", "is_thin"),
    [
        (60, 1, False, False),
        (30, 1, False, False),
        (29, 1, False, True),
        (0, 1, True, False),
        (500, 1, False, False),
    ],
)
def test_a_list_against_the_last_one(rows, least, is_missing, is_thin):
    history = History(day(3), past((1, 2, "passed", 0), (2, 60, "passed", 0)))
    volume = history.whole(rows, least=least)
    assert (volume.expected, volume.is_missing, volume.is_thin) == (60, is_missing, is_thin)


def test_a_first_list_is_compared_with_nothing():
    volume = FIRST.whole(0, least=1)
    assert (volume.expected, volume.is_missing, volume.is_thin) == (None, False, False)


def test_a_small_list_may_become_empty():
    history = History(day(3), past((2, 3, "passed", 0)))
    assert not history.whole(0, least=5).is_missing
    assert history.whole(0, least=1).is_missing


def test_nights_are_compared_with_nights_not_with_the_first_load():
    first = (1, 20_000, "passed", 400)
    nights = tuple((night, 30, "passed", 2) for night in range(2, 7))
    assert History(day(7), past(first, *nights[:4])).nights(0).expected is None
    history = History(day(7), past(first, *nights))
    assert history.nights(0).is_missing
    assert history.nights(5).is_thin
    assert not history.nights(6).is_thin


def test_fields_and_fill_are_those_of_batches_that_went_on():
    (manifest, verdict), (later, held) = past((1, 2, "passed", 0), (2, 2, "held", 0))
    known = replace(verdict, profile=replace(verdict.profile, fields=("id",), fill={"id": 1.0}))
    other = replace(held, profile=replace(held.profile, fields=("x",), fill={"x": 1.0}))
    history = History(day(3), ((manifest, known), (later, other)))
    assert history.fields() == {"id"}
    assert history.fill() == {"id": 1.0}
