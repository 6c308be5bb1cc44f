"""A night under Airflow's own scheduler: the same hash, also when the scheduler dies on the way."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psutil
import pytest

from boscard import services
from boscard.clock import Clock
from boscard.settings import read_settings
from tests.airflow.conftest import Left, Plain, Up, left
from tests.airflow.rest import OVER, Airflow, waited
from tests.personal.told import assert_nothing_is_told
from tests.processes import processes_of

pytestmark = pytest.mark.scheduler
SECONDS_TO_TELL = 60  # a run's metrics are sent some seconds after its end


@dataclass(frozen=True, slots=True)
class Scheduled:
    """What the scheduler did: all runs by DAG, tasks of the scorecard, and what was left."""

    airflow: Airflow
    runs: dict[str, list[dict[str, Any]]]
    tasks: dict[str, str]
    left: Left


@pytest.fixture(scope="module")
def scheduled(up: Up, plain: Plain) -> Scheduled:
    """Yesterday's night after a week without any, by a scheduler that is killed while it pulls;
    then everything is stopped and started again while dbt builds."""
    airflow = up.start()
    ingest = [f"ingest_{source}" for source in read_settings(plain.settings).sources]

    def pulled() -> bool:
        states = _states(airflow, ingest, "pull")
        return states["success"] > 0 and states.total() > states["success"]

    waited("a pull", pulled)
    [scheduler] = [each for each in services.services(up.home) if each.name == "scheduler"]
    process = scheduler.process()
    assert process is not None
    process.kill()
    process.wait()
    up.start()
    waited("dbt", lambda: _states(airflow, ["scorecard"], "transform")["running"])
    up.boscard("down")
    airflow = up.start()
    runs = {dag: _all_over(airflow, dag) for dag in [*ingest, "scorecard"]}
    tasks = airflow.tasks("scorecard", runs["scorecard"][0]["dag_run_id"])
    return Scheduled(
        airflow, runs, {task["task_id"]: task["state"] for task in tasks}, left(up.home)
    )


@pytest.fixture(scope="module")
def backfilled(up: Up, plain: Plain, scheduled: Scheduled) -> Left:
    """A week asked for anew, as one triggers it in Airflow's UI; then published."""
    first, last = (day.isoformat() for day in plain.week)
    airflow = scheduled.airflow
    asked = {"backfill_from": first, "backfill_to": last}
    ingest = [dag for dag in scheduled.runs if dag != "scorecard"]
    for dags, conf in ((ingest, asked), (["scorecard"], {})):
        for dag, run_id in {dag: airflow.trigger(dag, conf) for dag in dags}.items():
            run = waited(f"{dag} {conf}", lambda dag=dag, run_id=run_id: airflow.ended(dag, run_id))
            assert run["state"] == "success", airflow.tasks(dag, run_id)
    return left(up.home)


def test_each_dag_runs_once_for_the_newest_night(scheduled: Scheduled, plain: Plain) -> None:
    company = read_settings(plain.settings).company
    night = Clock(plain.last, company.zone, company.publication_hour)
    for dag, runs in scheduled.runs.items():
        [run] = runs
        assert run["run_type"] == "scheduled"
        assert run["state"] == "success", (dag, run)
        assert datetime.fromisoformat(run["data_interval_end"]) == night.now
    assert set(scheduled.tasks.values()) == {"success"}


def test_a_collector_hears_what_the_guide_says_to_watch(scheduled: Scheduled, up: Up) -> None:
    """Which run ended how after how long, whether the scheduler lives, who has the warehouse."""
    metrics = up.collector.metrics
    assert metrics["airflow.scheduler_heartbeat"]
    pools = {each["pool_name"] for each in metrics["airflow.pool.open_slots"]}
    assert {"warehouse", "vendor_hubspot"} <= pools
    wanted = {"scorecard", *scheduled.runs}
    until = time.monotonic() + SECONDS_TO_TELL
    while not wanted <= (ended := _ended(up)) and time.monotonic() < until:
        time.sleep(1)
    assert wanted <= ended


def _ended(up: Up) -> set[str]:
    """The DAGs that have told of a run; they tell every few seconds."""
    name = "airflow.dagrun.duration.success"
    return {each["dag_id"] for each in up.collector.metrics.get(name, [])}


def test_it_is_published_as_its_plain_steps_would(scheduled: Scheduled, plain: Plain) -> None:
    assert scheduled.left.content_hash == plain.night.content_hash
    assert scheduled.left.publication_id == plain.night.publication_id


def test_what_listens_listens_on_loopback(scheduled: Scheduled, up: Up) -> None:
    """API server, what executes tasks, Postgres and the sandbox."""
    names = {each.name for each in services.services(up.home)}
    assert {"scheduler", "dag-processor", "api-server"} <= names
    open_at = {
        connection.laddr.ip
        for process in processes_of(up.home.root)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert open_at == {"127.0.0.1"}


def test_people_are_told_that_it_is_late(scheduled: Scheduled, up: Up, plain: Plain) -> None:
    """Its deadline passed while the scheduler was down or dbt at work; the night went on."""
    told = up.home.outbox / f"late.{plain.last}.txt"
    waited("the message", told.exists)


def test_nothing_is_lost_or_doubled(scheduled: Scheduled, plain: Plain) -> None:
    assert scheduled.left.batches == plain.night.batches
    assert scheduled.left.raw == plain.night.raw
    assert scheduled.left.raw


def test_a_backfill_of_a_week_is_the_same_too(
    backfilled: Left, scheduled: Scheduled, plain: Plain
) -> None:
    new = backfilled.batches - scheduled.left.batches
    windows = {str(window.start) for *_, window, _ in new if window}
    assert str(plain.week[0]) in windows
    assert backfilled == plain.backfill


def test_upkeep_cleans_airflows_own_database(scheduled: Scheduled, up: Up) -> None:
    """From a task, which Airflow does not tell where its database is."""
    airflow = scheduled.airflow
    run_id = airflow.trigger("upkeep", {})
    run = waited("upkeep", lambda: airflow.ended("upkeep", run_id))
    assert run["state"] == "success", airflow.tasks("upkeep", run_id)
    assert "dag_run" in (up.home.logs / "upkeep.log").read_text()


def test_no_secret_and_no_person_is_told(backfilled: Left, up: Up) -> None:
    """Nor the token of the API's user, nor his password: logs and database of all services."""
    up.boscard("down")
    try:
        assert_nothing_is_told(up.home)
    finally:
        up.start()


@pytest.mark.parametrize("dag", ["ingest_hubspot", "scorecard"])
def test_past_nights_are_refused(scheduled: Scheduled, plain: Plain, dag: str) -> None:
    """Vendors keep no past state, so a past night cannot be had by running it now."""
    first, last = (f"{day}T00:00:00Z" for day in plain.week)
    answer = scheduled.airflow.backfill(dag, first, last)
    assert answer.status_code in range(400, 500), answer.text
    assert "does not allow backfill runs" in answer.text


def _states(airflow: Airflow, dags: list[str], task: str) -> Counter[str]:
    """How many instances of a task are in which state, over all runs of some DAGs."""
    return Counter(
        str(instance["state"])
        for dag in dags
        for run in airflow.runs(dag)
        for instance in airflow.tasks(dag, run["dag_run_id"])
        if instance["task_id"] == task
    )


def _all_over(airflow: Airflow, dag: str) -> list[dict[str, Any]]:
    def over() -> list[dict[str, Any]] | None:
        runs = airflow.runs(dag)
        return runs if runs and all(run["state"] in OVER for run in runs) else None

    return waited(f"{dag} to end", over)
