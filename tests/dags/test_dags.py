"""The DAGs as Airflow sees them: importable, documented, bounded in time, in the right pools."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from airflow.api_fastapi.core_api.datamodels.dag_run import DAGRunResponse
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.execution_time.callback_supervisor import execute_callback

from boscard.airflow_home import pools
from boscard.home import PROJECT
from boscard.retry_policy import SHORT, ByRecovery
from boscard.settings import SettingsError, read_settings
from boscard.upkeep import PARTS
from ingest.errors import Refused, Throttled, Transient
from warehouse.errors import NightRefused

SETTINGS = read_settings(PROJECT / "boscard.toml")
DAGS = [*(f"ingest_{source}" for source in SETTINGS.sources), "scorecard", "upkeep"]


@pytest.fixture(scope="module")
def bag():
    return DagBag(str(PROJECT / "dags"))


def test_all_dags_are_imported_without_errors(bag):
    assert bag.import_errors == {}
    assert sorted(bag.dags) == sorted(DAGS)


@pytest.mark.parametrize("dag_id", DAGS)
def test_a_dag_says_what_it_does_and_how_to_triage_it(bag, dag_id):
    dag = bag.dags[dag_id]
    assert dag.description
    assert dag.tags
    assert "**Triage.**" in dag.doc_md
    assert set(dag.task_dict) <= {part for part in dag.doc_md.split("`") if part}
    assert dag.max_active_runs == 1
    assert dag.catchup is False
    assert "backfill" not in dag.allowed_run_types
    assert {"scheduled", "manual"} <= dag.allowed_run_types


def test_each_part_of_the_upkeep_is_a_task_and_waits_for_no_other(bag):
    tasks = bag.dags["upkeep"].task_dict
    assert list(tasks) == list(PARTS)
    assert not any(task.upstream_task_ids for task in tasks.values())


@pytest.mark.parametrize("dag_id", DAGS)
def test_each_task_is_bounded_and_retried_by_the_name_of_its_error(bag, dag_id):
    for task in bag.dags[dag_id].tasks:
        mapped = getattr(task, "partial_kwargs", {})
        timeout = mapped.get("execution_timeout", getattr(task, "execution_timeout", None))
        assert timeout is not None, task.task_id
        assert timeout <= timedelta(hours=1)
        assert isinstance(
            mapped.get("retry_policy", getattr(task, "retry_policy", None)), ByRecovery
        )
        assert task.retries == 4
        assert task.retry_delay == SHORT
        assert task.owner == "boscard"
        assert task.pool in {"default_pool", *pools(SETTINGS)}


@pytest.mark.parametrize("source", SETTINGS.sources)
def test_an_ingest_dag_is_plan_pull_gate_verdict(bag, source):
    tasks = bag.dags[f"ingest_{source}"].task_dict
    order = {name: sorted(task.downstream_task_ids) for name, task in tasks.items()}
    assert order == {"plan": ["pull"], "pull": ["gate"], "gate": ["verdict"], "verdict": []}
    assert tasks["pull"].pool == f"vendor_{source}"
    assert tasks["gate"].trigger_rule == "all_done"
    assert tasks["verdict"].trigger_rule == "all_done"
    assert [asset.name for asset in tasks["verdict"].outlets] == [f"raw_{source}"]


def test_only_one_task_at_a_time_opens_the_warehouse(bag):
    in_pool = {
        name for name, task in bag.dags["scorecard"].task_dict.items() if task.pool == "warehouse"
    }
    assert in_pool == {"load", "transform", "audit", "publish"}
    assert pools(SETTINGS)["warehouse"] == 1


def test_the_scorecard_ends_in_a_verdict_and_has_a_deadline(bag):
    dag = bag.dags["scorecard"]
    assert [task.task_id for task in dag.tasks if not task.downstream_task_ids] == ["verdict"]
    assert dag.task_dict["verdict"].trigger_rule == "all_done"
    [deadline] = dag.deadline
    assert deadline.interval == timedelta(hours=2)
    assert dag.dagrun_timeout


RUN: dict[str, Any] = {
    **dict.fromkeys(DAGRunResponse.model_fields),
    "dag_run_id": "manual",
    "dag_id": "scorecard",
    "dag_display_name": "scorecard",
    "run_type": "manual",
    "state": "running",
    "dag_versions": [],
    "run_after": datetime(2026, 11, 5, 7, tzinfo=UTC),
}
ENDS = datetime(2026, 11, 4, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("end", "night"), [(ENDS, "2026-11-03"), (None, "2026-11-04")], ids=["scheduled", "by hand"]
)
def test_people_are_told_that_the_scorecard_is_late(bag, end, night, tmp_path, monkeypatch):
    """By Airflow's own way from a missed deadline to the callback."""
    monkeypatch.setenv("BOSCARD_HOME", str(tmp_path))
    run = DAGRunResponse.model_validate({**RUN, "data_interval_end": end})
    handed = {"context": {"dag_run": run.model_dump(mode="json")}}
    [deadline] = bag.dags["scorecard"].deadline
    for _ in range(2):
        done = execute_callback(
            deadline.callback.path, handed, "scorecard.py", None, structlog.get_logger()
        )
        assert done == (True, None)
    assert [file.stem for file in (tmp_path / "outbox").glob("*.txt")] == [f"late.{night}"]


@pytest.mark.parametrize(
    ("error", "action", "seconds"),
    [
        pytest.param(Throttled("slow down", 600), "retry", 600, id="throttled: as told"),
        pytest.param(Transient("cut off"), "retry", 120, id="transient: soon"),
        pytest.param(Refused("no", "mend"), "fail", None, id="refused: at once"),
        pytest.param(SettingsError("wrong"), "fail", None, id="settings: at once"),
        pytest.param(NightRefused("older"), "fail", None, id="an older night: at once"),
        pytest.param(OSError("disk"), "retry", 120, id="anything else: soon"),
    ],
)
def test_the_retry_policy(error, action, seconds):
    decision = ByRecovery().evaluate(error, 1, 4)
    assert decision.action.value == action
    delay = decision.retry_delay
    assert (delay.total_seconds() if delay else None) == seconds


def test_a_wait_is_capped_without_a_scheduler(monkeypatch):
    monkeypatch.setenv("BOSCARD_RETRY_SECONDS", "5")
    decision = ByRecovery().evaluate(Throttled("hours", 40591), 1, 4)
    assert decision.retry_delay == timedelta(seconds=5)


def test_parsing_imports_nothing_heavy():
    code = (
        "import sys; sys.path.insert(0, 'dags'); import nightly_ingest, scorecard, upkeep; "
        "heavy = {'great_expectations', 'dbt', 'duckdb', 'pandas', 'pyarrow'} & set(sys.modules); "
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
