"""One DAG a source: plan what is due, pull it, gate it, and say what is missing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import (
    DAG,
    Asset,
    CronDataIntervalTimetable,
    Param,
    get_current_context,
    task,
)

from boscard import open_lineage
from boscard.backfill import ASKED
from boscard.lineage import gated, pulled
from boscard.retry_policy import RETRIES, SHORT, ByRecovery
from boscard.settings import read_settings
from boscard.tonight import RUN_TYPES, tonight
from ingest.registry import SOURCES
from ingest.stream import Source

SETTINGS = read_settings()

DOC = """\
Pulls what is due from **{title}** and lands it as batches, then gates them. It never opens the
warehouse: `scorecard` loads what passed.

| task | does |
|---|---|
| `plan` | what is due: gaps, the days the vendor still restates, held days |
| `pull` | one mapped task an account and stream; a batch exists once its manifest is written |
| `gate` | Great Expectations over each new batch: passed, held or blocked |
| `verdict` | tells `scorecard` that this source is done; red when something is missing |

**Triage.** `pull` red, *Refused*: read its next step (credentials, permission, an account that was
closed), mend the connection, clear the task. *Throttled* and *Transient* retry by themselves.
`gate` red is a bug of ours. `verdict` red names the units that are missing tonight: the scorecard
is published without them and says how old their data are. Clearing `pull` pulls only what is
missing; `boscard check` tries every account. To have days from the vendor anew, trigger with
`backfill_from` and `backfill_to`.
"""


def ingest_dag(source: Source) -> DAG:
    """The DAG of one source; its unit of work is planned per account and stream."""
    company = SETTINGS.company
    with DAG(
        dag_id=f"ingest_{source.name}",
        description=f"Pull and gate {source.title}",
        schedule=CronDataIntervalTimetable(
            f"0 {company.publication_hour} * * *", timezone=company.time_zone
        ),
        catchup=False,
        max_active_runs=1,
        allowed_run_types=RUN_TYPES,
        max_active_tasks=source.concurrency,
        default_args={
            "owner": "boscard",
            "retries": RETRIES,
            "retry_delay": SHORT,
            "retry_policy": ByRecovery(),
            "execution_timeout": timedelta(hours=1),
        },
        tags=["ingest", source.area],
        params={
            name: Param(None, type=["null", "string"], format="date", description=text)
            for name, text in ASKED.items()
        },
        doc_md=DOC.format(title=source.title),
    ) as dag:

        @task(execution_timeout=timedelta(minutes=5))
        def plan() -> list[dict[str, str]]:
            """Accounts and streams with something due."""
            due = dict.fromkeys((unit.account, unit.stream) for unit in tonight().due(source.name))
            return [{"account": account, "stream": stream} for account, stream in due]

        @task(
            pool=f"vendor_{source.name}",
            max_active_tis_per_dagrun=source.concurrency,
            map_index_template="{{ work.account }} {{ work.stream }}",
        )
        def pull(work: dict[str, str]) -> list[str]:
            """Pull one stream of one account; returns the ids of its new batches."""
            from boscard.connections import read_connection
            from boscard.tokens import VariableTokens

            get_current_context()["work"] = work  # type: ignore[typeddict-unknown-key]
            night = tonight()
            units = night.due(source.name, only=(work["account"], work["stream"]))
            batches = night.pull(units, read_connection, VariableTokens())
            open_lineage.tell(pulled, night, source.name, work["account"], work["stream"])
            return batches

        @task(trigger_rule="all_done")
        def gate() -> dict[str, int]:
            """Judge each new batch; returns how many passed, were held, were blocked."""
            night = tonight()
            verdicts = night.gate(source.name)
            open_lineage.tell(gated, night, source.name)
            states = [verdict.state for verdict in verdicts]
            return {state: states.count(state) for state in ("passed", "held", "blocked")}

        @task(
            trigger_rule="all_done",
            outlets=[Asset(f"raw_{source.name}")],
            execution_timeout=timedelta(minutes=5),
        )
        def verdict() -> dict[str, Any]:
            """Report to the scorecard; fail when a unit of tonight is missing."""
            from ingest.errors import Refused

            report = tonight().report(source.name)
            if report["missing"]:
                raise Refused(
                    f"{source.title}: {len(report['missing'])} units are missing tonight: "
                    + "; ".join(_sentence(unit) for unit in report["missing"]),
                    "see the failed `pull` tasks; what is missing is pulled again by clearing them",
                )
            return report

        pull.expand(work=plan()) >> gate() >> verdict()
    return dag


def _sentence(unit: dict[str, Any]) -> str:
    window = f" {unit['window']}" if unit["window"] else ""
    return f"{unit['account']} {unit['stream']}{window}: {unit['error']}, {unit['message']}"


for name in SETTINGS.sources:
    globals()[f"ingest_{name}"] = ingest_dag(SOURCES[name])
