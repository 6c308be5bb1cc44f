"""What a vendor does wrong is set aside or held, to the row; what the wire does changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from expectations.quarantine import SetAside, rows_set_aside
from expectations.verdict import Verdict, read_verdict
from ingest.landing import Landing
from sandbox.faults import Fault
from tests.end_to_end.conftest import FIRST, SECOND, THIRD, Left, lived
from tests.end_to_end.expected import SOURCES, differences
from tests.end_to_end.nights import Installation, command, rows_of

Another = Callable[[], AbstractContextManager[Installation]]

OF_ADS = {kpi for kpi, sources in SOURCES.items() if "google_ads" in sources}
OF_ADS_ALONE = {kpi for kpi, sources in SOURCES.items() if sources == ("google_ads",)}
VENDORS = ("google_ads", "hubspot", "typeform")
EARLIER = "2026-10-20"
WRONG: dict[str, dict[str, Any]] = {
    "cost_micros_not_negative": {
        "vendor": "google_ads",
        "fault": "negative_spend",
        "match": "campaign_daily",
    },
    "one_row_a_key": {
        "vendor": "google_ads",
        "fault": "duplicate_key",
        "match": "campaign_daily",
        "differs": True,
        "day": EARLIER,
    },
    "clicks_within_impressions": {
        "vendor": "google_ads",
        "fault": "clicks_above_impressions",
        "match": "ad_daily",
        "rows": 4,
    },
    "typed": {
        "vendor": "google_ads",
        "fault": "impossible_date",
        "match": "ad_group_daily",
        "rows": 5,
    },
    "score_on_scale": {"vendor": "typeform", "fault": "score_out_of_range", "rows": 2},
}
HELD: tuple[dict[str, Any], ...] = (
    {"vendor": "google_ads", "fault": "renamed_field", "match": "4185550101 campaign_daily"},
    {
        "vendor": "google_ads",
        "fault": "missing_day",
        "match": "4185550102 campaign_daily",
        "day": EARLIER,
    },
    {"vendor": "hubspot", "fault": "impossible_date", "match": "contacts", "rows": 3},
)


@dataclass(frozen=True, slots=True)
class Struck:
    """A night with faults: what the sandbox says it did, and what came of it."""

    left: Left
    faults: tuple[Fault, ...]
    set_aside: list[SetAside]
    stopped: Mapping[tuple[str, str], Verdict]
    told: tuple[int, int]
    messages: list[str]
    installation: Installation


def _struck(installation: Installation, faults: tuple[Mapping[str, Any], ...]) -> Struck:
    for fault in faults:
        installation.sandbox.faults.add(fault)
    left = lived(installation, SECOND)
    night = installation.night(SECOND)
    landing = Landing(installation.home.landing)
    verdicts = {
        (batch.manifest.account, batch.manifest.stream): read_verdict(batch)
        for batch in landing.batches()
        if batch.manifest.as_of_date == SECOND
    }
    return Struck(
        left=left,
        faults=installation.sandbox.faults.standing(),
        set_aside=list(rows_set_aside(landing)),
        stopped={
            place: verdict
            for place, verdict in verdicts.items()
            if verdict is not None and verdict.state != "passed"
        },
        told=(night.tell(), night.tell()),
        messages=[path.read_text("utf-8") for path in installation.home.outbox.glob("*.txt")],
        installation=installation,
    )


@pytest.fixture(scope="module")
def wrong(another: Another) -> Iterator[Struck]:
    with another() as installation:
        yield _struck(installation, tuple(WRONG.values()))


@pytest.fixture(scope="module")
def held(another: Another) -> Iterator[Struck]:
    with another() as installation:
        yield _struck(installation, HELD)


@pytest.mark.parametrize("rule", WRONG)
def test_exactly_the_wrong_rows_are_set_aside(wrong: Struck, rule: str) -> None:
    fault = wrong.faults[list(WRONG).index(rule)]
    said = sum(fault.changed.values())
    rows = [row for row in wrong.set_aside if any(r.endswith(f".{rule}") for r in row.reasons)]
    assert said > 0
    # Of two rows that contradict each other neither can be believed.
    assert len(rows) == said * (2 if fault.fault == "duplicate_key" else 1)
    assert {row.batch.manifest.source for row in rows} == {fault.vendor}


def test_rows_set_aside_are_listed_and_shown(wrong: Struck) -> None:
    lines = command(wrong.installation, "quarantine", "list").splitlines()
    assert {line.partition("\t")[0] for line in lines} == {row.name for row in wrong.set_aside}
    ads = command(wrong.installation, "quarantine", "list", "--source", "google_ads").splitlines()
    assert 0 < len(ads) < len(lines)
    row = wrong.set_aside[0]
    shown = command(wrong.installation, "quarantine", "show", row.name)
    assert row.row in shown
    assert all(reason in shown for reason in row.reasons)


def test_no_sound_row_is_set_aside(wrong: Struck) -> None:
    reasons = {reason.rpartition(".")[2] for row in wrong.set_aside for reason in row.reasons}
    # A day that cannot be read is missing, too.
    assert reasons == {*WRONG, "report_date_present"}
    said = Counter({fault.fault: sum(fault.changed.values()) for fault in wrong.faults})
    assert len(wrong.set_aside) == said.total() + said["duplicate_key"]
    assert not wrong.stopped


def test_what_is_set_aside_is_missing_and_nothing_else(wrong: Struck, second: Left) -> None:
    keys = ["report_date", "account_id", "campaign_id"]
    ours, clean = (
        night.views["ad_performance_daily"].set_index(keys).sort_index()
        for night in (wrong.left, second)
    )
    gone = clean.index.difference(ours.index)
    rows = [row for row in wrong.set_aside if row.batch.manifest.stream == "campaign_daily"]
    assert len(gone) == len({row.key for row in rows}) > 0
    assert {str(day.date()) for day, *_ in gone} == {EARLIER, str(SECOND)}
    assert_frame_equal(ours, clean.loc[ours.index])


def test_kpis_of_other_vendors_are_as_ever(wrong: Struck, second: Left) -> None:
    _same(wrong.left, second, {"C06", "P05", "P07", "P08"})


def test_kpis_over_the_wrong_days_are_suspect(wrong: Struck) -> None:
    values = wrong.left.views["kpi_values"]
    days = values[values["period_type"] == "day"]
    for day in (EARLIER, str(SECOND)):
        suspect = days[(days["period_start"] == day) & (days["dq_state"] == "suspect")]
        assert set(suspect["kpi_id"]) >= OF_ADS, day
    between = days[(days["period_start"] == "2026-10-25") & days["kpi_id"].isin(OF_ADS)]
    assert "suspect" not in set(between["dq_state"])
    months = values[(values["period_type"] == "month") & values["kpi_id"].isin(OF_ADS)]
    october = months[months["period_start"] == "2026-10-01"]
    assert set(october["dq_state"]) == {"suspect"}
    assert not october["is_band_shown"].any()


def test_what_cannot_be_trusted_at_all_is_held(held: Struck) -> None:
    failed = {
        place: {result.rule for result in verdict.stopping}
        for place, verdict in held.stopped.items()
    }
    assert failed == {
        ("4185550101", "campaign_daily"): {"no_field_vanished", "mostly_sound"},
        ("4185550102", "campaign_daily"): {"nothing_missing"},
    }


def test_held_kpis_keep_their_last_good_values(held: Struck) -> None:
    last_good = held.installation.expected(SECOND, {"google_ads": FIRST})
    published = held.left.views["kpi_values"]
    published = published[published["kpi_id"].isin(OF_ADS_ALONE)]
    kpis = last_good.index.get_level_values("kpi_id")
    found = differences(published, last_good[kpis.isin(OF_ADS_ALONE)])
    assert found == [], f"{len(found)} differences"
    october = published[
        (published["period_type"] == "month") & (published["period_start"] == "2026-10-01")
    ]
    assert set(october["dq_state"]) == {"held"}


def test_a_contact_with_an_impossible_date_makes_its_kpis_suspect(
    held: Struck, second: Left
) -> None:
    rows = [row for row in held.set_aside if row.batch.manifest.source == "hubspot"]
    assert len(rows) == sum(held.faults[2].changed.values()) == 3
    values = held.left.views["kpi_values"]
    running = values[values["period_end"] >= pd.Timestamp(SECOND)]
    suspect = set(running.loc[running["dq_state"] == "suspect", "kpi_id"])
    assert suspect == {"C06", "P05"}
    _same(held.left, second, {"C01", "C02", "C05", "L05", "P07", "P08"})


def test_each_held_batch_is_told_once(held: Struck, wrong: Struck) -> None:
    assert held.told == (2, 0)
    assert len(held.messages) == 2
    assert wrong.told == (0, 0)


def test_held_batches_are_complained_about(held: Struck) -> None:
    assert len(held.left.complaints) == 2
    assert all("campaign_daily held" in line for line in held.left.complaints)


def test_a_message_names_the_night_that_asks_again(held: Struck) -> None:
    night = held.installation.night(SECOND)
    assert night.due("google_ads") == []
    assert all(f"boscard nightly --date {THIRD}\n" in message for message in held.messages)
    due = _due(held, THIRD)
    began = SECOND - timedelta(days=30)
    assert {
        ("4185550101", "campaign_daily", began),
        ("4185550102", "campaign_daily", began),
    } <= due


@pytest.fixture(scope="module")
def healed(held: Struck) -> Left:
    """The next night in the home of the held one; the vendors are sound again."""
    held.installation.sandbox.faults.remove()
    return lived(held.installation, THIRD)


def test_the_next_sound_night_heals_every_number(healed: Left) -> None:
    assert healed.complaints == []
    assert differences(healed.views["kpi_values"], healed.expected) == []


@pytest.mark.parametrize(
    "kpis",
    [
        pytest.param(OF_ADS_ALONE, id="held days"),
        pytest.param({"C06", "P05", "F07", "F08"}, id="contacts set aside"),
    ],
)
def test_the_next_sound_night_lifts_every_doubt(healed: Left, kpis: set[str]) -> None:
    values = healed.views["kpi_values"]
    states = set(values.loc[values["kpi_id"].isin(kpis), "dq_state"])
    assert states == {"verified", "provisional"}


def _same(ours: Left, clean: Left, kpis: set[str]) -> None:
    """The rows of these KPIs are equal in all that is published about them."""
    frames = []
    for night in (ours, clean):
        values = rows_of(night.views["kpi_values"])
        frames.append(values[values["kpi_id"].isin(kpis)].reset_index(drop=True))
    assert len(frames[0]) > 100
    assert_frame_equal(*frames)


def _due(held: Struck, day: date) -> set[tuple[str, str, date]]:
    """Account, stream and first day of what a later night will ask Google Ads for."""
    night = held.installation.night(SECOND)
    later = replace(night, clock=replace(night.clock, as_of_date=day))
    return {
        (unit.account, unit.stream, unit.window.start)
        for unit in later.due("google_ads")
        if unit.window
    }
