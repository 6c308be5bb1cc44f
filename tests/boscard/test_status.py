"""How tonight stands: by the clock, the publication, and what has landed of each stream."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from rich.console import Console

import publish.read
from boscard.cli import main
from boscard.clock import Clock
from boscard.home import PROJECT, Home
from boscard.night import Night
from boscard.nightly import _only_one
from boscard.settings import read_settings
from boscard.status import EXIT, status
from boscard.status_table import print_status, to_json
from ingest.landing import REPORTS, Landing
from tests.warehouse.landed import land

SETTINGS = read_settings(PROJECT / "boscard.toml")
COMPANY = SETTINGS.company
NIGHT = Clock(date(2025, 10, 5), COMPANY.zone, COMPANY.publication_hour)
START, BEFORE = COMPANY.history_start, NIGHT.as_of_date - timedelta(days=1)
SOON, LATE = NIGHT.now + timedelta(minutes=1), NIGHT.now + timedelta(hours=2)


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "var")
    home.create()
    return home


@pytest.fixture
def published(home, monkeypatch):
    """Publishes a night; what its sources still lack is what they report."""

    def publish_night(clock, missing=()):
        record = SimpleNamespace(as_of_date=clock.as_of_date)
        monkeypatch.setattr(publish.read, "current_record", lambda _: record)
        for source in SETTINGS.sources:
            night = Night(SETTINGS, home, clock)
            units = [
                {
                    "account": "a",
                    "stream": "s",
                    "error": "Refused",
                    "message": "no",
                    "next_step": "",
                }
                for name in missing
                if name == source
            ]
            said = json.dumps({"source": source, "missing": units}).encode()
            (night.landing.root / source / REPORTS).write(night._tonight, said)

    return publish_night


def of(found, stream, account="4185550101"):
    [row] = [row for row in found.streams if (row.stream, row.account) == (stream, account)]
    return row


def test_a_published_night_is_well(home, published):
    published(NIGHT)
    found = status(home, SETTINGS, LATE)
    assert (found.night, found.state, found.wrong) == (NIGHT.as_of_date, "published", [])
    assert found.exit_status == 0
    assert found.next_night == NIGHT.now + timedelta(days=1)


def test_a_night_without_a_source_is_incomplete(home, published):
    published(NIGHT, missing=["hubspot"])
    found = status(home, SETTINGS, LATE)
    assert (found.state, found.exit_status) == ("incomplete", 3)
    assert found.wrong == ["HubSpot: a s: Refused, no"]


@pytest.mark.parametrize(
    ("moment", "state", "code"),
    [
        pytest.param(SOON, "awaited", 0, id="its hour has just come"),
        pytest.param(LATE - timedelta(seconds=1), "awaited", 0, id="in time"),
        pytest.param(LATE, "overdue", 1, id="two hours after"),
        pytest.param(NIGHT.now - timedelta(seconds=1), "published", 0, id="before its hour"),
    ],
)
def test_a_night_is_awaited_for_two_hours(home, published, moment, state, code):
    published(Clock(BEFORE, COMPANY.zone, COMPANY.publication_hour))
    found = status(home, SETTINGS, moment)
    assert (found.state, found.exit_status) == (state, code)
    assert bool(found.wrong) == (state == "overdue")


def test_nothing_was_ever_published(home):
    found = status(home, SETTINGS, LATE)
    assert found.state == "overdue"
    assert found.wrong[0].startswith("nothing was published")
    assert {row.state for row in found.streams} == {"missing"}
    assert {row.through for row in found.streams} == {None}


def test_each_stream_says_how_far_it_is(home):
    landing = Landing(home.landing)
    row = {"campaign_id": "1", "report_date": START}

    def landed(stream, as_of, last, **options):
        window = (START, last)
        land(
            landing,
            "google_ads",
            "4185550101",
            stream,
            [row],
            as_of=as_of,
            window=window,
            **options,
        )

    landed("campaign_daily", BEFORE, BEFORE)
    landed("campaign_daily", NIGHT.as_of_date, NIGHT.as_of_date, quarantined=[row, row])
    landed("ad_group_daily", BEFORE, BEFORE)
    landed("ad_daily", BEFORE, BEFORE)
    landed("ad_daily", NIGHT.as_of_date, NIGHT.as_of_date, state="held")
    found = status(home, SETTINGS, LATE)
    fresh, late, held = (
        of(found, name) for name in ("campaign_daily", "ad_group_daily", "ad_daily")
    )
    assert (fresh.state, fresh.through, fresh.rows, fresh.set_aside) == (
        "fresh",
        NIGHT.as_of_date,
        3,
        2,
    )
    assert (late.state, late.through, late.expected) == ("late", BEFORE, NIGHT.as_of_date)
    assert (held.state, held.through) == ("held", BEFORE)
    assert of(found, "campaign_daily", "4185550102").state == "missing"


def test_a_night_at_work_is_named(home):
    assert status(home, SETTINGS, SOON).at_work is None
    with _only_one(Night(SETTINGS, home, NIGHT)):
        assert status(home, SETTINGS, SOON).at_work is not None
    assert status(home, SETTINGS, SOON).at_work is None


def test_the_table_and_the_json_say_the_same(home):
    found = status(home, SETTINGS, LATE)
    out = io.StringIO()
    print_status(found, Console(file=out, width=200, color_system=None))
    shown, told = out.getvalue(), json.loads(to_json(found))
    assert f"night of {told['night']}: {told['state']}" in shown
    assert datetime.fromisoformat(told["next_night"]).strftime("%Y-%m-%d %H:%M") in shown
    for row in told["streams"]:
        [line] = [
            line
            for line in shown.splitlines()
            if line.split()[:3] == [row["source"], row["account"], row["stream"]]
        ]
        assert line.split()[3:] == [row["state"], "never", "0", "0"]


def test_the_command_ends_as_the_state_says(home, monkeypatch):
    monkeypatch.setenv("BOSCARD_HOME", str(home.root))
    monkeypatch.setenv("AIRFLOW_HOME", str(home.airflow))
    ended = CliRunner().invoke(main, ["status", "--json"])
    assert ended.exit_code == EXIT[json.loads(ended.output)["state"]]
    table = CliRunner().invoke(main, ["status"])
    assert table.exit_code == ended.exit_code
    assert "nothing yet" in table.output


def test_the_table_names_the_publication_the_night_at_work_and_what_runs(home):
    record = SimpleNamespace(
        publication_id="20251005_abc", as_of_date=BEFORE, published_at=NIGHT.now, content_hash="f00"
    )
    parts = tuple(
        SimpleNamespace(name=name, is_running=runs)
        for name, runs in (("scheduler", True), ("sandbox", False))
    )
    found = replace(status(home, SETTINGS, LATE), publication=record, at_work=4711, services=parts)
    out = io.StringIO()
    print_status(found, Console(file=out, width=200, color_system=None))
    shown = out.getvalue()
    assert f"20251005_abc, data through {BEFORE}" in shown
    assert "content hash  f00" in shown
    assert "process 4711" in shown
    assert "scheduler up, sandbox down" in shown
