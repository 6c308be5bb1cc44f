"""Planning: what is due, night after night, whatever has landed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.batch import MANIFEST, VERDICT, Unit, Window
from ingest.exchange import Page
from ingest.landing import Landing
from ingest.plan import Landed, due, ledger, places, plan
from ingest.registry import SOURCES
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


def test_the_plan_reads_the_ledger_from_landing(landing, clock, settings_for):
    settings = settings_for(
        "google_ads", ("111", "Europe/Berlin", "EUR"), ("222", "Pacific/Auckland", "NZD")
    )
    units = plan(settings, "google_ads", clock, landing)
    names = list(SOURCES["google_ads"].streams)
    assert [unit.stream for unit in units if unit.account == "google_ads"] == ["customers"]
    assert sorted({unit.stream for unit in units if unit.account == "111"}, key=names.index) == [
        name for name in names if name != "customers"
    ]
    for unit in units:
        landing.write(unit, clock.as_of_date, [Page(rows=[b"{}"])])
    assert plan(settings, "google_ads", clock, landing) == []
    assert plan(settings, "google_ads", clock, landing, again=True) == units


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["campaign_daily", "campaigns", "ad_daily"]),
            st.sampled_from(["111", "222"]),
            st.integers(0, 30),
            st.integers(0, 9),
            st.sampled_from([None, "passed", "held", "blocked"]),
        ),
        max_size=10,
    ),
    st.booleans(),
    st.none() | st.just(Window(NIGHT - 9 * DAY, NIGHT - 8 * DAY)),
)
def test_the_plan_of_one_stream_is_its_part_of_the_whole(
    tmp_path_factory, clock, settings_for, history, again, asked
):
    chosen = settings_for(
        "google_ads", ("111", "Europe/Berlin", "EUR"), ("222", "Pacific/Auckland", "NZD")
    )
    landing = Landing(tmp_path_factory.mktemp("landing"))
    for name, account, first, age, state in history:
        days = Window(NIGHT - first * DAY, NIGHT) if name != "campaigns" else None
        unit = Unit("google_ads", account, name, days)
        batch = landing.write(unit, NIGHT - age * DAY, [Page(rows=[b"{}"])])
        if state:
            (batch.path / VERDICT).write_text(f'{{"state": "{state}"}}')
    whole = plan(chosen, "google_ads", clock, landing, again, asked)
    for one in SOURCES["google_ads"].streams.values():
        for name, _ in places(chosen, "google_ads", one):
            part = [unit for unit in whole if (unit.account, unit.stream) == (name, one.name)]
            only = (name, one.name)
            assert plan(chosen, "google_ads", clock, landing, again, asked, only) == part


@given(
    st.lists(st.tuples(st.integers(0, 20), st.booleans(), st.booleans()), max_size=8),
    st.integers(1, 9),
    st.booleans(),
    st.booleans(),
)
def test_the_ledger_of_a_list_leaves_out_what_changes_no_plan(
    tmp_path_factory, history, every_days, again, is_asked
):
    kind = stream("snapshot", every_days=every_days)
    landing = Landing(tmp_path_factory.mktemp("landing"))
    whole = []
    for sequence, (age, is_held, is_blocked) in enumerate(history, 1):
        batch = landing.write(Unit("google_ads", "111", "s", None), NIGHT - age * DAY, [])
        state = ("blocked" if is_blocked else "held") if is_held else "passed"
        (batch.path / VERDICT).write_text(f'{{"state": "{state}"}}')
        whole.append(Landed(None, NIGHT - age * DAY, sequence, is_held, is_held and is_blocked))
    read = ledger(landing, "google_ads", "111", kind, NIGHT)
    assert [one.sequence for one in read] == [
        one.sequence for one in whole if one.as_of_date > NIGHT - every_days * DAY
    ]
    more = {"as_of": NIGHT, "whole": WHOLE, "again": again, "asked": WHOLE if is_asked else None}
    assert due(kind, read, **more) == due(kind, whole, **more)


def test_the_plan_of_one_stream_opens_nothing_of_another(landing, clock, settings_for):
    """Nor does it open a manifest, nor what no list of tonight depends on."""
    chosen = settings_for("google_ads", ("111", "Europe/Berlin", "EUR"))
    for name, night in (("campaign_daily", NIGHT - DAY), ("campaigns", NIGHT - 9 * DAY)):
        days = WHOLE if name == "campaign_daily" else None
        batch = landing.write(Unit("google_ads", "111", name, days), night, [])
        (batch.path / MANIFEST).write_bytes(b"not to be read")
        (batch.path / VERDICT).write_bytes(b"not to be read")
    (unit,) = plan(chosen, "google_ads", clock, landing, only=("111", "campaigns"))
    assert unit == Unit("google_ads", "111", "campaigns", None)


def test_an_account_ahead_of_the_business_settles_by_its_own_clock(landing, clock, settings_for):
    """At 7:00 in Berlin on the 2nd it is the 2nd in Auckland too, and still the 1st in Honolulu."""
    settings = settings_for(
        "google_ads",
        ("1", "Pacific/Auckland", "NZD"),
        ("2", "Pacific/Honolulu", "USD"),
    )
    ends = {
        unit.account: unit.window.end
        for unit in plan(settings, "google_ads", clock, landing)
        if unit.stream == "campaign_daily"
    }
    assert ends == {"1": date(2026, 11, 1), "2": date(2026, 10, 31)}


def test_a_held_verdict_is_seen(landing, clock, settings_for):
    settings = settings_for("typeform", ("northwind", "Europe/Berlin", None))
    window = Window(START, NIGHT - DAY)
    batch = landing.write(
        Unit("typeform", "northwind", "responses", window), NIGHT - DAY, [Page(rows=[b"{}"])]
    )

    def planned():
        return [
            unit.window
            for unit in plan(settings, "typeform", clock, landing)
            if unit.stream == "responses"
        ]

    assert planned() == [Window(NIGHT - 3 * DAY, NIGHT)]
    (batch.path / VERDICT).write_text('{"state": "held"}')
    assert planned() == [WHOLE]
