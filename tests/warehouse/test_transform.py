from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from types import SimpleNamespace

import pytest
import yaml

from boscard.home import Home
from ingest.landing import Landing
from tests.warehouse.landed import KEY, a_clock, ad_day, land
from warehouse import transform as transform_module
from warehouse.errors import WarehouseBusy
from warehouse.load import load
from warehouse.lock import writer_lock
from warehouse.transform import DBT_PROJECT, NodeResult, TransformReport, transform, variables

NIGHT = date(2025, 10, 20)


@pytest.fixture(scope="module")
def built(tmp_path_factory, settings):
    """A night with spend in a currency without an exchange rate, and what was there before."""
    home = Home(tmp_path_factory.mktemp("transform") / "a home")
    clock = a_clock(NIGHT, settings)
    row = ad_day(date(2025, 10, 3), cost_micros=5) | {"currency_code": "JPY"}
    land(
        *(Landing(home.landing), "google_ads", "100", "campaign_daily", [row]),
        as_of=NIGHT,
        window=(date(2025, 10, 1), NIGHT),
    )
    load(home, settings, clock, KEY)
    environment, project = _environment(), set(DBT_PROJECT.iterdir())
    report = transform(home, settings, clock)
    return SimpleNamespace(
        home=home, report=report, environment=environment, project=project, settings=settings
    )


def test_a_failing_test_is_reported_by_its_readable_name(built) -> None:
    assert not built.report.succeeded
    failed = {node.name: (node.kind, node.status, node.failures) for node in built.report.failures}
    assert failed["every_ad_currency_has_an_exchange_rate"] == ("test", "fail", 1)


def test_what_depends_on_a_failure_is_not_built(built) -> None:
    statuses = {node.name: node.status for node in built.report.nodes}
    assert statuses["int_ads__campaign_daily"] == "success"
    assert statuses["fct_ad_performance_daily"] == "skipped"


def test_a_setting_of_the_whole_database_is_not_set_by_each_thread() -> None:
    profile = yaml.safe_load((DBT_PROJECT / "profiles.yml").read_text("utf-8"))
    target = profile["boscard"]["outputs"]["warehouse"]
    assert set(target["settings"]) == {"TimeZone"}
    assert "disabled_optimizers" in target["config_options"]


def test_unit_tests_are_left_to_the_test_suite(built) -> None:
    assert {node.kind for node in built.report.nodes} <= {
        "model",
        "seed",
        "test",
        "operation",
        "exposure",
    }


def test_the_warehouse_is_free_afterwards(built) -> None:
    other = "import duckdb, sys; duckdb.connect(sys.argv[1]).close()"
    subprocess.run([sys.executable, "-c", other, str(built.home.warehouse)], check=True)


def test_all_it_writes_lies_in_the_home(built) -> None:
    assert (built.home.dbt_target / "manifest.json").exists()
    assert (built.home.logs / "dbt.log").exists()
    assert set(DBT_PROJECT.iterdir()) == built.project
    assert _environment() == built.environment


def test_the_results_hold_the_variables_and_nothing_more(built) -> None:
    results = json.loads((built.home.dbt_target / "run_results.json").read_text())
    assert results["args"]["vars"] == variables(built.settings, a_clock(NIGHT, built.settings))
    assert results["args"]["send_anonymous_usage_stats"] is False


def test_variables_are_text(settings) -> None:
    assert variables(settings, a_clock(NIGHT, settings)) == {
        "as_of_date": "2025-10-20",
        "now": "2025-10-21T05:00:00+00:00",
        "business_time_zone": "Europe/Berlin",
        "reporting_currency": "EUR",
        "history_start": "2025-10-01",
        "company_name": "Test & Co",
        "quality_nights": "400",
    }


def test_it_does_not_start_beside_another_writer(home, settings) -> None:
    with writer_lock(home), pytest.raises(WarehouseBusy):
        transform(home, settings, a_clock(NIGHT, settings))


def test_a_project_that_does_not_parse_is_an_error_not_an_empty_success(
    home, settings, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(transform_module, "DBT_PROJECT", tmp_path)
    load(home, settings, a_clock(NIGHT, settings), KEY)
    earlier = home.dbt_target / "run_results.json"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("{}")
    report = transform(home, settings, a_clock(NIGHT, settings))
    assert report.nodes == ()
    assert "dbt_project.yml" in (report.error or "")
    assert not report.succeeded
    assert not earlier.exists(), "an earlier build's results speak for marts that are no more"


@pytest.mark.parametrize(
    ("status", "succeeded"),
    [("success", True), ("pass", True), ("warn", True), ("fail", False), ("error", False)],
)
def test_a_warning_does_not_stop_the_night(status, succeeded) -> None:
    node = NodeResult("a", "test", status, 0.1, 1, "")
    assert TransformReport((node,)).succeeded is succeeded


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
