"""The plan of a night from what lies in landing."""

from __future__ import annotations

from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.batch import MANIFEST, VERDICT, Unit, Window
from ingest.exchange import Page
from ingest.landing import Landing
from ingest.plan import Landed, due, ledger, places, plan
from ingest.registry import SOURCES
from tests.ingest.test_plan import DAY, NIGHT, START, WHOLE, stream


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
