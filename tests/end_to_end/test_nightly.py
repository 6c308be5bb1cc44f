"""The real command, through Airflow's own DAGs in processes of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from boscard.home import PROJECT, Home
from boscard.settings import read_settings
from ingest.landing import Landing
from publish.read import read
from tests.end_to_end.conftest import FIRST, SCALE, SECOND, START, Left
from tests.end_to_end.expected import (
    SOURCES,
    Rates,
    differences,
    expected_values,
    weights_of_checks,
)
from tests.end_to_end.lineage import events_of, named, reached
from tests.end_to_end.nights import Installation, write_small_settings
from tests.personal.told import assert_nothing_is_told
from tests.processes import processes_below

pytestmark = pytest.mark.slow

LAST = date(2026, 9, 20)
NO_CREDENTIALS = {"AIRFLOW_CONN_HUBSPOT": json.dumps({"conn_type": "http", "host": "localhost"})}


@dataclass(frozen=True, slots=True)
class Ran:
    """How one call of the command ended and what stood published then."""

    status: int
    said: str
    values: pd.DataFrame
    publications: pd.DataFrame
    batches: list[Path]
    orphans: list[str]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("nightly") / "var")


@pytest.fixture(scope="module")
def lineage(home: Home) -> Path:
    """The file that the first night's lineage is told to."""
    return home.root.with_name("lineage.jsonl")


@pytest.fixture(scope="module")
def ran(home: Home, lineage: Path) -> Ran:
    transport = {"type": "file", "log_file_path": str(lineage), "append": True}
    return _nightly(home, FIRST, {"AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport)})


@pytest.fixture(scope="module")
def ran_again(home: Home, ran: Ran) -> Ran:
    return _nightly(home, FIRST)


@pytest.fixture(scope="module")
def ran_without_hubspot(home: Home, ran_again: Ran) -> Ran:
    """The next night; HubSpot's connection has lost its credentials."""
    return _nightly(home, SECOND, NO_CREDENTIALS)


@pytest.fixture(scope="module")
def backfilled(home: Home, ran_without_hubspot: Ran) -> Ran:
    """Past days asked for anew in that night, when HubSpot has its credentials again."""
    days = ("--from", f"{START}", "--to", f"{LAST}", "--date", f"{SECOND}")
    return _ran(home, _boscard(home, "backfill", *days))


def test_a_night_is_published(ran: Ran) -> None:
    assert ran.status == 0, ran.said
    assert "published in" in ran.said
    assert len(ran.publications) == 1


def test_it_is_the_same_as_its_plain_steps(ran: Ran, first: Left) -> None:
    assert ran.publications["content_hash"].tolist() == [first.publication.content_hash]
    assert ran.publications["publication_id"].tolist() == [first.publication.publication_id]
    assert first.publication.content_hash in ran.said


def test_openlineage_hears_of_every_task_and_nothing_failed(ran: Ran, lineage: Path) -> None:
    told = defaultdict(set)
    for event in events_of(lineage):
        told[event["job"]["name"]].add(event["eventType"])
    ingest = {
        f"ingest_{source}.{task}"
        for source in read_settings().sources
        for task in ("plan", "pull", "gate", "verdict")
    }
    scorecard = ("readiness", "load", "transform", "audit", "publish", "page", "tell", "verdict")
    for task in ingest | {f"scorecard.{task}" for task in scorecard}:
        assert told[task] == {"START", "COMPLETE"}, task
    assert not any("FAIL" in types for types in told.values())


@pytest.mark.parametrize(
    ("stream", "views", "not_views"),
    [
        pytest.param(
            "google_ads://4185550101 campaign_daily",
            {"scorecard", "kpi_values", "ad_performance_daily"},
            {"survey_scores"},
            id="ads",
        ),
        pytest.param(
            "hubspot://24601001 deals",
            {"scorecard", "kpi_values", "deals"},
            {"ad_performance_daily", "survey_scores"},
            id="crm",
        ),
        pytest.param(
            "typeform://northwind responses",
            {"scorecard", "kpi_values", "survey_scores"},
            {"ad_performance_daily", "deals"},
            id="survey",
        ),
    ],
)
def test_lineage_leads_from_a_vendors_stream_to_the_views_it_feeds_and_no_others(
    ran: Ran, home: Home, lineage: Path, stream: str, views: set[str], not_views: set[str]
) -> None:
    found = reached(events_of(lineage), stream)
    source, account, name = re.split(r"://| ", stream)
    assert f"file {home.landing}/{source}/{account}/{name}" in found
    assert f"duckdb://{home.warehouse} warehouse.raw.{source}__{name}" in found
    shown = {place.rpartition(".kpi.")[2] for place in found if place.startswith("postgres://")}
    assert views <= shown
    assert not not_views & shown


def test_lineage_carries_the_checks_of_the_gate_and_of_dbt(
    ran: Ran, home: Home, lineage: Path
) -> None:
    judged: dict[str, list[bool]] = defaultdict(list)
    for event in events_of(lineage):
        for dataset in event.get("inputs", []):
            facets = dataset.get("facets", {}) | dataset.get("inputFacets", {})
            for check in facets.get("dataQualityAssertions", {}).get("assertions", []):
                judged[named(dataset)].append(check["success"])
    assert len(judged[f"file {home.landing}/google_ads/4185550101/campaign_daily"]) > 3
    assert all(judged[f"duckdb://{home.warehouse} warehouse.marts.fct_scorecard"])


def test_the_same_night_again_changes_nothing(ran: Ran, ran_again: Ran) -> None:
    assert ran_again.status == 0, ran_again.said
    assert ran_again.batches == ran.batches
    pd.testing.assert_frame_equal(ran_again.publications, ran.publications)
    pd.testing.assert_frame_equal(ran_again.values, ran.values)


def test_a_night_without_a_vendor_is_published_and_says_so(ran_without_hubspot: Ran) -> None:
    said = ran_without_hubspot.said
    assert ran_without_hubspot.status == 3, said
    assert "published, not complete" in said
    complaints = [line for line in said.splitlines() if "•" in line]
    assert complaints
    assert all("HubSpot" in line for line in complaints)
    assert "Next step" in said
    assert "ingest_hubspot failed" in said
    assert len(ran_without_hubspot.publications) == 2


def test_its_numbers_are_the_truth_as_far_as_it_is_known(
    ran_without_hubspot: Ran, home: Home, installation: Installation
) -> None:
    cuts = {"hubspot": FIRST}
    truth = installation.truth(SECOND, cuts)
    rates = Rates("EUR")
    checks = weights_of_checks(home.landing)
    expected = expected_values(truth, checks, rates, start=START, as_of=SECOND, cuts=cuts)
    assert differences(ran_without_hubspot.values, expected) == []
    running = ran_without_hubspot.values.query("period_type == 'day'")
    tonight = running[running["period_start"] == pd.Timestamp(SECOND)]
    stale = set(tonight.loc[tonight["dq_state"] == "stale", "kpi_id"])
    assert stale == {kpi for kpi, sources in SOURCES.items() if "hubspot" in sources}


def test_accounts_are_checked(home: Home, ran: Ran) -> None:
    accounts = {account.account for account in read_settings().accounts}
    well, unwell = (
        _boscard(home, "check", "--date", f"{FIRST}", more=more) for more in (None, NO_CREDENTIALS)
    )
    assert well.returncode == 0, well.stdout
    lines = [line for line in well.stdout.splitlines() if ": ok" in line]
    assert len(lines) == len(accounts)
    assert all(any(account in line for line in lines) for account in accounts)
    assert unwell.returncode == 1, unwell.stdout
    [wrong] = [line for line in unwell.stdout.splitlines() if "WRONG" in line]
    assert "hubspot" in wrong


def test_past_days_are_asked_for_anew(
    ran_without_hubspot: Ran, backfilled: Ran, home: Home, installation: Installation
) -> None:
    assert backfilled.status == 0, backfilled.said
    assert f"days {START} to {LAST} are asked for anew: " in backfilled.said
    manifests = [batch.manifest for batch in Landing(home.landing).batches()]
    again = Counter(
        each.stream
        for each in manifests
        if each.as_of_date == SECOND and each.window and each.window.start == START
    )
    assert {"campaign_daily", "contacts", "responses"} <= set(again)
    assert len(backfilled.batches) - len(ran_without_hubspot.batches) >= again.total()
    expected = expected_values(
        installation.truth(SECOND),
        weights_of_checks(home.landing),
        Rates("EUR"),
        start=START,
        as_of=SECOND,
    )
    assert differences(backfilled.values, expected) == []


@pytest.mark.parametrize("which", ["ran", "ran_again", "ran_without_hubspot", "backfilled"])
def test_no_process_is_left_behind(which: str, request: pytest.FixtureRequest) -> None:
    assert request.getfixturevalue(which).orphans == []


def test_airflow_tells_no_secret_and_no_person(home: Home, backfilled: Ran) -> None:
    """Its database and logs too."""
    assert_nothing_is_told(home)


def _nightly(home: Home, day: date, more: Mapping[str, str] | None = None) -> Ran:
    return _ran(home, _boscard(home, "nightly", "--date", f"{day}", more=more))


def _boscard(
    home: Home, *arguments: str, more: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW", "BOSCARD", "PYTEST"))
    }
    settings_file = home.root.with_name("boscard.toml")
    write_small_settings(settings_file, START, SCALE)
    environ |= {
        "BOSCARD_HOME": str(home.root),
        "BOSCARD_SETTINGS": str(settings_file),
        "COLUMNS": "10000",
        **(more or {}),
    }
    return subprocess.run(
        [sys.executable, "-m", "boscard.cli", *arguments],
        cwd=PROJECT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _ran(home: Home, done: subprocess.CompletedProcess[str]) -> Ran:
    return Ran(
        status=done.returncode,
        said=done.stdout,
        values=read("kpi_values", home),
        publications=read("publications", home),
        batches=[batch.path for batch in Landing(home.landing).batches()],
        orphans=processes_below(home.root),
    )
