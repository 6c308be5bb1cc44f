"""The night's second half, by the clock and the ledger: load, transform, audit, publish, tell."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from airflow.sdk import (
    DAG,
    Asset,
    CronDataIntervalTimetable,
    DeadlineAlert,
    DeadlineReference,
    Param,
    SyncCallback,
    get_current_context,
    task,
)

from boscard import open_lineage
from boscard.lateness import tell_late
from boscard.lineage import loaded, published
from boscard.retry_policy import RETRIES, SHORT, ByRecovery
from boscard.settings import read_settings
from boscard.tonight import RUN_TYPES, tonight

SETTINGS = read_settings()
CUT_OFF_SECONDS = float(os.environ.get("BOSCARD_READINESS_SECONDS", "3600"))
LATE_SECONDS = float(os.environ.get("BOSCARD_LATE_SECONDS", "7200"))

DOC = """\
Publishes the balanced scorecard at the publication hour with what has landed by then.

| task | does |
|---|---|
| `readiness` | waits until every source has reported, at most an hour: no vendor can stop it |
| `load` | the only writer of raw tables: each gated batch exactly once |
| `transform` | one dbt build: staging, intermediate, marts and their tests |
| `audit` | may tonight be published? Tests, expectations on marts, reconciliation, movement |
| `publish` | Postgres, the DuckDB file behind `current.duckdb`, Parquet: one content hash |
| `page` | `site/index.html` |
| `tell` | a message for each incident that begins or ends, and for a blocked publication |
| `verdict` | red when tonight was not published, or was published without a source |

**Triage.** `load` or `transform` red: read its log, mend, clear from there; every step may be run
again. `audit` red: yesterday's scorecard stays; its log names each reason. Where settled numbers
moved and are right, trigger with `accept_movements`. `verdict` red with
`publish` green: published, but a source is missing: see that source's ingest DAG.
"""

with DAG(
    dag_id="scorecard",
    description="Load, transform, audit and publish the balanced scorecard",
    schedule=CronDataIntervalTimetable(
        f"0 {SETTINGS.company.publication_hour} * * *", timezone=SETTINGS.company.time_zone
    ),
    catchup=False,
    max_active_runs=1,
    allowed_run_types=RUN_TYPES,
    dagrun_timeout=timedelta(hours=6),
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(seconds=LATE_SECONDS),
        callback=SyncCallback(tell_late),
    ),
    default_args={
        "owner": "boscard",
        "retries": RETRIES,
        "retry_delay": SHORT,
        "retry_policy": ByRecovery(),
        "execution_timeout": timedelta(hours=1),
    },
    tags=["scorecard"],
    params={
        "accept_movements": Param(
            False, type="boolean", description="Settled numbers that moved were looked at: publish"
        )
    },
    doc_md=DOC,
) as scorecard:

    @task.sensor(
        mode="reschedule",
        poke_interval=20,
        timeout=CUT_OFF_SECONDS,
        soft_fail=True,
        execution_timeout=timedelta(minutes=5),
    )
    def readiness() -> bool:
        """Every source has reported, or the cut-off has passed."""
        return not tonight().unreported()

    @task(pool="warehouse", trigger_rule="all_done")
    def load() -> dict[str, int]:
        """Load each gated batch exactly once."""
        night = tonight()
        report = night.load()
        open_lineage.tell(loaded, night, report)
        return {"loaded": len(report.loaded), "held": len(report.held), "rows": report.rows}

    @task(pool="warehouse")
    def transform() -> dict[str, float]:
        """One dbt build; what did not build or did not hold is for the audit to judge."""
        night = tonight()
        report = night.transform()
        if report.error:
            raise RuntimeError(f"dbt stopped: {report.error}")
        open_lineage.tell_dbt(night.home)
        return {node.name: node.seconds for node in report.nodes if node.kind != "test"}

    @task(pool="warehouse")
    def audit() -> list[str]:
        """Fails with every reason why tonight must not be published."""
        from airflow.sdk.exceptions import AirflowFailException

        result = tonight().audit(get_current_context()["params"]["accept_movements"])
        if not result.may_publish:
            raise AirflowFailException("not published: " + "; ".join(result.reasons))
        return result.reasons

    @task(pool="warehouse", outlets=[Asset("scorecard_published")])
    def publish() -> dict[str, Any]:
        """The three places, with one content hash."""
        night = tonight()
        publication = night.publish()
        open_lineage.tell(published, night)
        return {"publication_id": publication.publication_id, "hash": publication.content_hash}

    @task(trigger_rule="all_done")
    def page() -> str:
        """The static page of the current publication, with what is wrong tonight at its top."""
        return str(tonight().page())

    @task(trigger_rule="all_done")
    def tell() -> int:
        """Send what people must be told; returns how many messages are new."""
        return tonight().tell()

    @task(trigger_rule="all_done", execution_timeout=timedelta(minutes=5))
    def verdict() -> None:
        """Red when tonight was not published, or not with everything."""
        from airflow.sdk.exceptions import AirflowFailException

        complaints = tonight().complaints()
        if complaints:
            raise AirflowFailException("; ".join(complaints))

    readiness() >> load() >> transform() >> audit() >> publish() >> page() >> tell() >> verdict()
