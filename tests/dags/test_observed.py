"""A run seen from outside: lineage in a file, metrics at a collector, a log of JSON lines."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections import defaultdict
from datetime import date

import pytest

from boscard import airflow_home
from boscard.home import PROJECT, Home
from boscard.settings import read_settings
from boscard.upkeep import PARTS
from ingest.landing import Landing
from tests.dags.collector import collector
from tests.warehouse.landed import land

pytestmark = pytest.mark.slow

MOMENT = "2026-11-22T13:00:00+01:00"

# Airflow's own record of what happened, older and younger than what is kept at that moment
EVENTS = {"old": "2026-10-01 00:00:00", "young": "2026-11-20 00:00:00"}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The folder of a run of `upkeep`, which needs no vendor and lets go one batch's bytes."""
    folder = tmp_path_factory.mktemp("observed")
    home = Home(folder / "var")
    for day in (5, 6):
        as_of, landing = date(2026, 1, day), Landing(home.landing)
        land(landing, "google_ads", "1", "campaigns", [{"campaign_id": "1"}], as_of=as_of)
    transport = {"type": "file", "log_file_path": str(folder / "lineage.jsonl"), "append": True}
    ours = ("AIRFLOW", "BOSCARD", "OPENLINEAGE")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(ours)]:
            patch.delenv(name)
        environ = airflow_home.environment(home)
    environ |= {
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
        "AIRFLOW__OPENLINEAGE__NAMESPACE": "northwind",
        "AIRFLOW__LOGGING__JSON_LOGS": "True",
        "AIRFLOW__METRICS__OTEL_ON": "True",
    }
    airflow_home.migrate(home, read_settings(PROJECT / "boscard.toml"), environ)
    with sqlite3.connect(home.airflow / "airflow.db") as database:
        for event, dttm in EVENTS.items():
            database.execute("insert into log (event, dttm) values (?, ?)", (event, dttm))
    database.close()
    command = [sys.executable, "-m", "boscard.dagrun", "upkeep", MOMENT, str(folder / "outcome")]
    with collector() as collected, (folder / "run.log").open("wb") as log:
        environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collected.url
        child = subprocess.Popen(
            command, cwd=PROJECT, env=environ, stdin=subprocess.PIPE, stdout=log, stderr=log
        )
        assert child.wait() == 0, (folder / "run.log").read_text()
        (folder / "metrics.json").write_text(json.dumps(collected.metrics))
    return folder


def test_upkeep_runs_as_a_dag(ran):
    outcome = json.loads((ran / "outcome").read_text())
    assert outcome["state"] == "success"
    assert outcome["tasks"] == {part: ["success"] for part in PARTS}


def test_airflows_own_database_is_cleaned_by_a_task(ran):
    database = sqlite3.connect(ran / "var/airflow/airflow.db")
    left = {event for (event,) in database.execute("select event from log")}
    database.close()
    assert "young" in left
    assert "old" not in left


def test_a_collector_hears_how_each_task_ended_and_how_long_it_took(ran):
    metrics = json.loads((ran / "metrics.json").read_text())
    ended = {(each["task_id"], each["state"]) for each in metrics["airflow.ti.finish"]}
    assert ended == {(part, "success") for part in PARTS}
    assert {each["task_id"] for each in metrics["airflow.task.duration"]} == set(PARTS)
    assert {each["dag_id"] for each in metrics["airflow.task.duration"]} == {"upkeep"}


def test_openlineage_hears_of_each_task(ran):
    told = defaultdict(list)
    for line in (ran / "lineage.jsonl").read_text().splitlines():
        event = json.loads(line)
        assert event["job"]["namespace"] == "northwind"
        told[event["job"]["name"]].append(event["eventType"])
    for part in PARTS:
        assert told[f"upkeep.{part}"] == ["START", "COMPLETE"]


def test_a_json_line_of_airflows_log_says_of_which_batch_it_is(ran):
    lines = [line for line in (ran / "run.log").read_text().splitlines() if line.startswith("{")]
    said = [json.loads(line) for line in lines]
    [line] = [line for line in said if line["event"].startswith("released")]
    assert {name: line[name] for name in ("source", "account", "stream", "batch")} == {
        "source": "google_ads",
        "account": "1",
        "stream": "campaigns",
        "batch": "000001_2026-01-05_all",
    }
