"""Runs one DAG for one night in this process, without a scheduler: `python -m boscard.dagrun`."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from datetime import datetime
from pathlib import Path


def main() -> int:
    """Arguments: DAG id, instant (ISO), file for the outcome. Exits 0 whatever the tasks did.

    The outcome is JSON: the run's state and each task's.
    """
    dag_id, moment, outcome = sys.argv[1:]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import conf

    bag = DagBag(conf.get("core", "dags_folder"))
    # Airflow's handler of a crash while parsing would make a crash in a task hang instead
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    if bag.import_errors or dag_id not in bag.dags:
        print(f"{dag_id} cannot be imported: {bag.import_errors}", file=sys.stderr)  # noqa: T201
        return 1
    dag = bag.dags[dag_id]
    dag.deadline = None  # without a scheduler nobody watches it, and Airflow 3.3.2 fails over it
    wanted = json.loads(os.environ.get("BOSCARD_RUN_CONF", "{}"))
    conf_of_run = {name: value for name, value in wanted.items() if name in dag.params}
    run = dag.test(logical_date=datetime.fromisoformat(moment), run_conf=conf_of_run)
    tasks: dict[str, list[str]] = {}
    for instance in run.get_task_instances():
        tasks.setdefault(instance.task_id, []).append(str(instance.state))
    result = {"dag_id": dag_id, "state": str(run.state), "tasks": tasks}
    Path(outcome).write_text(json.dumps(result), encoding="utf-8")
    return 0


def _end_with_parent() -> None:
    """End this process when its standard input does: whoever watches the night is gone."""
    os.read(sys.stdin.fileno(), 1)  # a buffered read would hold a lock that Python's end needs
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
