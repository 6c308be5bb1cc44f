"""The transform: one `dbt build` in this process, over the warehouse as the load left it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from boscard.clock import Clock
from boscard.home import PROJECT, Home
from boscard.settings import Settings
from warehouse.lock import writer_lock

DBT_PROJECT = PROJECT / "dbt_project"


@dataclass(frozen=True, slots=True)
class NodeResult:
    """One model, seed or test. `status` is dbt's own: success, pass, warn, fail, error, skipped."""

    name: str
    kind: str
    status: str
    seconds: float
    failures: int
    message: str


@dataclass(frozen=True, slots=True)
class TransformReport:
    """Every node that dbt ran. `error` is set where dbt stopped before running any."""

    nodes: tuple[NodeResult, ...]
    error: str | None = None

    @property
    def failures(self) -> tuple[NodeResult, ...]:
        """Tests that failed and models that did not build; nothing of this may be published."""
        return tuple(
            node for node in self.nodes if node.status in ("fail", "error", "runtime error")
        )

    @property
    def warnings(self) -> tuple[NodeResult, ...]:
        return tuple(node for node in self.nodes if node.status == "warn")

    @property
    def succeeded(self) -> bool:
        return self.error is None and not self.failures


def transform(home: Home, settings: Settings, clock: Clock) -> TransformReport:
    """Build all seeds, models and data tests for this night.

    Unit tests are left to the test suite: they judge the project, not the night. The manifest and
    run results lie in home.dbt_target, dbt's log in home.logs. Raises WarehouseBusy while another
    process writes.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    arguments = [
        "--log-level=none",
        "--log-level-file=info",
        f"--log-path={home.logs}",
        "build",
        f"--project-dir={DBT_PROJECT}",
        f"--profiles-dir={DBT_PROJECT}",
        f"--target-path={home.dbt_target}",
        "--no-version-check",
        "--exclude-resource-type=unit_test",
        f"--vars={json.dumps(variables(settings, clock))}",
    ]
    with writer_lock(home), dbt_environment(home):
        # Until dbt has ended, nothing says which night the marts hold: half of them is never read.
        (home.dbt_target / "run_results.json").unlink(missing_ok=True)
        try:
            outcome = dbtRunner().invoke(arguments)
        finally:
            # dbt keeps the file open, and so locked, until the process ends.
            DuckDBConnectionManager.close_all_connections()
    return _report(outcome)


def variables(settings: Settings, clock: Clock) -> dict[str, str]:
    """What dbt is told. dbt writes these into run_results.json: no secret may be among them."""
    company = settings.company
    return {
        "as_of_date": clock.as_of_date.isoformat(),
        "now": clock.now.isoformat(),
        "business_time_zone": company.time_zone,
        "reporting_currency": company.reporting_currency,
        "history_start": company.history_start.isoformat(),
        "company_name": company.name,
        "quality_nights": str(settings.publication.quality_nights),
    }


def _report(outcome: Any) -> TransformReport:
    results = getattr(outcome.result, "results", None)
    if results is None:
        return TransformReport((), str(outcome.exception or "dbt ended without a result"))
    nodes = tuple(
        NodeResult(
            name=result.node.name,
            kind=str(result.node.resource_type),
            status=str(result.status),
            seconds=round(result.execution_time, 3),
            failures=result.failures or 0,
            message=(result.message or "").partition("Stack Trace")[0].strip(),
        )
        for result in results
    )
    error = str(outcome.exception) if outcome.exception else None
    return TransformReport(nodes, error)


@contextmanager
def dbt_environment(home: Home) -> Iterator[None]:
    """What the profile reads, as long as the context lasts."""
    wanted = {
        "BOSCARD_WAREHOUSE": str(home.warehouse),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
