"""`boscard nightly`: the DAGs of one night without a scheduler, a process each, and a plain report.

It starts what it needs (the sandbox while it is enabled, the embedded Postgres) and stops what it
started.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from boscard import airflow_home, backfill, processes
from boscard.disk import probe
from boscard.home import Home
from boscard.landing import try_landing
from boscard.night import Night
from boscard.vendors import reachable_vendors
from boscard.watched import PROGRESS

AT_ONCE = 4


class NightlyError(Exception):
    """The night could not be run at all."""


@dataclass(frozen=True, slots=True)
class DagOutcome:
    """How one DAG ended; `state` is Airflow's, or `crashed`."""

    dag_id: str
    state: str
    failed_tasks: tuple[str, ...]
    log: Path


def run_night(night: Night, console: Console, accept_movements: bool = False) -> list[DagOutcome]:
    """Run the ingest DAGs, at most four at once, then `scorecard`.

    `accept_movements`: settled numbers may change this time, a person has looked at them.
    Raises NightlyError where another night or Airflow's scheduler runs below the same home, where
    Airflow's database is not the home's own, or a later night is published, and CannotWrite where
    nothing can be written there.
    """
    probe(night.home.root)
    _refuse_older(night)
    logs = night.home.logs / str(night.clock.as_of_date)
    logs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(_only_one(night))
        _refuse_beside_scheduler(night.home)
        environ = airflow_home.environment(night.home)
        _refuse_another_airflow(night, environ)
        # without a scheduler a retry waits in place: one, soon, and the next night does the rest
        environ |= {
            "BOSCARD_RETRIES": "1",
            "BOSCARD_RETRY_SECONDS": "5",
            "BOSCARD_READINESS_SECONDS": "0",
        }
        progress = logs / "progress.log"
        progress.write_text("", encoding="utf-8")
        asked = backfill.parameters(night.asked)
        environ["BOSCARD_RUN_CONF"] = json.dumps({"accept_movements": accept_movements, **asked})
        environ[PROGRESS] = str(progress)
        vendors = reachable_vendors(
            night.settings, night.clock.as_of_date, environ, logs / "sandbox.log", console
        )
        environ |= stack.enter_context(vendors)
        with console.status("preparing Airflow's database"):
            airflow_home.migrate(night.home, night.settings, environ)
        try_landing(night.home, night.settings)
        ingest = _ingest(night)
        console.print(f"pulling and gating {', '.join(night.settings.sources)}")
        outcomes = _run(ingest, night, environ, logs, console)
        console.print("loading, transforming, auditing, publishing")
        outcomes += _run(["scorecard"], night, environ, logs, console)
    return outcomes


def _ingest(night: Night) -> list[str]:
    return [f"ingest_{source}" for source in night.settings.sources]


def _refuse_older(night: Night) -> None:
    from publish.read import current_record

    current = current_record(night.home)
    if current is not None and current.as_of_date > night.clock.as_of_date:
        raise NightlyError(
            f"the night of {current.as_of_date} is published, so {night.clock.as_of_date} is past: "
            f"`boscard replay --date {night.clock.as_of_date}` builds it again, "
            "`boscard backfill` asks the vendors for its days anew"
        )


def _refuse_beside_scheduler(home: Home) -> None:
    if any(each.name == "scheduler" and each.session() for each in processes.read(home.services)):
        raise NightlyError(
            f"`boscard up` runs Airflow's scheduler below {home.root}, which would take up this "
            "night's tasks as its own: `boscard down` stops it, or let it run the night"
        )


def _refuse_another_airflow(night: Night, environ: Mapping[str, str]) -> None:
    """One whose scheduler is somewhere else, in a container say, and cannot be looked for."""
    if environ[airflow_home.DATABASE] != airflow_home.own_database(night.home):
        raise NightlyError(
            f"{airflow_home.DATABASE} names the database of an Airflow with its own scheduler, "
            "which would take up this night's tasks. Let it run them: `airflow dags trigger` "
            f"{', '.join(_ingest(night))}, and then scorecard. What is asked of a night are "
            "parameters of these DAGs: backfill_from and backfill_to; accept_movements"
        )


def running_night(home: Home) -> str | None:
    """The process that runs a night below this home now, as its number; None without one."""
    path = _lock(home)
    if not path.exists():
        return None
    with path.open(encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read()
    return None


def _lock(home: Home) -> Path:
    return home.root / "nightly.lock"


@contextmanager
def _only_one(night: Night) -> Iterator[None]:
    with _lock(night.home).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise NightlyError(
                f"another night is running below {night.home.root} (process {file.read()}); "
                "wait for it, or set BOSCARD_HOME to another folder"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _run(
    dag_ids: list[str], night: Night, environ: dict[str, str], logs: Path, console: Console
) -> list[DagOutcome]:
    waiting = list(dag_ids)
    running: dict[str, subprocess.Popen[bytes]] = {}
    outcomes: dict[str, DagOutcome] = {}
    seen = (logs / "progress.log").stat().st_size
    started = time.monotonic()
    try:
        with console.status("") as status:
            while waiting or running:
                while waiting and len(running) < AT_ONCE:
                    dag_id = waiting.pop(0)
                    running[dag_id] = _start(dag_id, night, environ, logs)
                status.update(f"{', '.join(running)} ({time.monotonic() - started:.0f} s)")
                time.sleep(0.2)
                seen = _show_progress(logs / "progress.log", seen, console)
                for dag_id in [name for name, child in running.items() if child.poll() is not None]:
                    code = running.pop(dag_id).returncode
                    outcomes[dag_id] = outcome = _outcome(dag_id, code, logs)
                    is_whole = outcome.state == "success"
                    mark = "[green]done[/]" if is_whole else "[red]not complete[/]"
                    console.print(f"{dag_id}: {mark}", highlight=False)
    finally:
        for child in running.values():
            child.terminate()
        for child in running.values():
            child.wait()
    return [outcomes[dag_id] for dag_id in dag_ids]


def _start(
    dag_id: str, night: Night, environ: dict[str, str], logs: Path
) -> subprocess.Popen[bytes]:
    outcome = logs / f"{dag_id}.json"
    outcome.unlink(missing_ok=True)
    moment = night.clock.now.isoformat()
    with (logs / f"{dag_id}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "boscard.dagrun", dag_id, moment, str(outcome)],
            env=environ,
            stdin=subprocess.PIPE,  # it ends when this process does
            stdout=log,
            stderr=log,
        )


def _outcome(dag_id: str, code: int, logs: Path) -> DagOutcome:
    log = logs / f"{dag_id}.log"
    path = logs / f"{dag_id}.json"
    if code or not path.exists():
        return DagOutcome(dag_id, "crashed", (), log)
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    failed = [task for task, states in result["tasks"].items() if "failed" in states]
    return DagOutcome(dag_id, result["state"], tuple(failed), log)


def _show_progress(path: Path, seen: int, console: Console) -> int:
    """Print whole new lines of the progress file; returns how far it was read."""
    with path.open("rb") as file:
        file.seek(seen)
        fresh = file.read()
    whole = fresh[: fresh.rfind(b"\n") + 1]
    for line in whole.decode("utf-8", "replace").splitlines():
        console.print(f"  {line}", style="dim", markup=False, highlight=False)
    return seen + len(whole)
