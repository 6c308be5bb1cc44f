"""`boscard nightly` killed while its DAGs run, whole and one process of it, and run again."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date

import psutil
import pytest

from boscard import airflow_home
from boscard.home import PROJECT, Home
from publish.contract import View
from publish.read import current_record
from tests.end_to_end.nights import write_small_settings
from tests.kills.conftest import FIRST, SCALE, SECOND, START, Bench
from tests.kills.left import files, in_duckdb, in_parquet

pytestmark = pytest.mark.slow
SECONDS_TO_END = 60


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("killed") / "var")


def test_all_of_it_is_killed(bench: Bench, views: Sequence[View], home: Home) -> None:
    """The first night, while dbt builds; nothing that it started lives on."""
    with _nightly(home, FIRST) as night:
        _read_until(night, "load: ")
        processes = _below(night)
        os.killpg(night.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(processes, timeout=SECONDS_TO_END)
    assert alive == []
    assert current_record(home) is None
    assert "running" in _runs(home)
    airflow_home.end_left_runs(home, airflow_home.environment(home))
    assert set(_runs(home)) <= {"success", "failed"}
    _same_as_undisturbed(bench, views, home, FIRST)


def test_one_process_is_killed(bench: Bench, views: Sequence[View], home: Home) -> None:
    """The next night, while HubSpot is pulled: published without it, and then with it."""
    if current_record(home) is None:
        _same_as_undisturbed(bench, views, home, FIRST)
    with _nightly(home, SECOND) as night:
        _read_until(night, "hubspot ")
        [pulling] = [one for one in _below(night) if "ingest_hubspot" in one.cmdline()]
        pulling.kill()
        said = night.stdout.read() if night.stdout else ""
        assert night.wait() == 3, said
    assert "ingest_hubspot crashed" in said
    assert "HubSpot" in said
    _same_as_undisturbed(bench, views, home, SECOND)


def _runs(home: Home) -> list[str]:
    """The states of all runs, as a scheduler would find them."""
    with closing(sqlite3.connect(home.airflow / "airflow.db")) as database:
        return [state for (state,) in database.execute("select state from dag_run")]


def _same_as_undisturbed(bench: Bench, views: Sequence[View], home: Home, day: date) -> None:
    published = current_record(home)
    before = published.publication_id if published and published.as_of_date == day else "none"
    with _nightly(home, day) as night:
        said = night.stdout.read() if night.stdout else ""
        assert night.wait() == 0, said
    undisturbed = bench.home_after(day, "tell")
    whole = in_duckdb(undisturbed, views)
    for shown in (in_duckdb(home.root, views), in_parquet(home.root, views)):
        assert shown.is_whole
        assert shown.record.content_hash == whole.record.content_hash
        assert shown.record.publication_id == whole.record.publication_id
    # Airflow's, which has the tokens, the command's, and what the night published without HubSpot
    airflows = ("airflow", "nightly.lock", "postgres", "tokens/")
    others = (*airflows, f"publications/marts_{before}")
    ours, theirs = (
        {name for name in files(root) if not name.startswith(others)}
        for root in (home.root, undisturbed)
    )
    assert ours - theirs == set()
    assert theirs - ours == set()


@contextmanager
def _nightly(home: Home, day: date) -> Iterator[subprocess.Popen[str]]:
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
    }
    night = subprocess.Popen(
        [sys.executable, "-m", "boscard.cli", "nightly", "--date", day.isoformat()],
        cwd=PROJECT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with night:
        yield night


def _read_until(night: subprocess.Popen[str], words: str) -> None:
    assert night.stdout is not None
    said = []
    for line in night.stdout:
        said.append(line)
        if words in line:
            return
    raise AssertionError("".join(said))


def _below(night: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(night.pid).children(recursive=True)
