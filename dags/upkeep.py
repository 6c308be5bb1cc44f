"""Once a week: what nothing rests on any more is removed, so that no disk fills."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, get_current_context, task

from boscard.retry_policy import RETRIES, SHORT, ByRecovery
from boscard.settings import read_settings
from boscard.tonight import RUN_TYPES

SETTINGS = read_settings()
HOURS_AFTER_PUBLICATION = 6
# Those of boscard.upkeep, which is heavy, and the pool of each.
PARTS = {
    "release_bytes": "default_pool",
    "compact_landing": "default_pool",
    "index_landing": "default_pool",
    "check_publication": "warehouse",
    "prune_publications": "default_pool",
    "checkpoint": "warehouse",
    "remove_logs": "default_pool",
    "clean_airflow": "default_pool",
}

DOC = """\
Keeps the installation from growing without end; `upkeep` in `boscard.toml` says how long each is
kept. Nothing that a number rests on is removed: every night can still be replayed and explained.

| task | does |
|---|---|
| `release_bytes` | vendors' bytes of old batches that newer ones have replaced whole |
| `compact_landing` | vendors' bytes of batches older than a week, pressed harder |
| `index_landing` | what old batches there are, so that no night looks at each of them again |
| `check_publication` | all published rows against the marts; wrong ones are put right |
| `prune_publications` | files of all but the newest publications |
| `checkpoint` | the warehouse's log into its file |
| `remove_logs` | logs that nobody has written to for long |
| `clean_airflow` | old runs, logs and events in Airflow's own database |

**Triage.** `compact_landing` red, *Refused*: a disk changed what a vendor sent; the error names the
file. `checkpoint` or `check_publication` red, *WarehouseBusy*: a night is still at work; it
is tried again. `check_publication` that put rows right says how many: somebody changed them, or a
disk did. Anything else is a bug of ours and may wait: only disk space is at stake.
"""

with DAG(
    dag_id="upkeep",
    description="Remove what nothing rests on any more",
    schedule=CronTriggerTimetable(
        f"0 {(SETTINGS.company.publication_hour + HOURS_AFTER_PUBLICATION) % 24} * * 0",
        timezone=SETTINGS.company.time_zone,
    ),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=1,  # no part needs another, and two at once would only be slower
    allowed_run_types=RUN_TYPES,
    default_args={
        "owner": "boscard",
        "retries": RETRIES,
        "retry_delay": SHORT,
        "retry_policy": ByRecovery(),
        "execution_timeout": timedelta(hours=1),
    },
    tags=["upkeep"],
    doc_md=DOC,
) as upkeep_dag:

    @task
    def part(name: str) -> str:
        """One part of the upkeep; returns what it did."""
        from boscard import upkeep
        from boscard.home import Home

        moment = get_current_context()["dag_run"].run_after
        return str(upkeep.PARTS[name](Home.default(), SETTINGS, moment))

    for name, pool in PARTS.items():
        part.override(task_id=name, pool=pool)(name)
