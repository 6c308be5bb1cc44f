"""The audit: may the night's candidate be published, or does yesterday's publication stay?

It asks dbt's results, the blocked batches, Great Expectations on the marts, and how far the
candidate moves from what was published. Each finding blocks, and says why in two voices.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import duckdb

from boscard.clock import Clock
from boscard.home import Home
from boscard.settings import Settings
from publish.candidate import Candidate, NotTransformedError, read_candidate
from publish.content_hash import NotCanonicalError
from publish.contract import ContractError
from publish.marts_suite import failed_expectations
from publish.movement import movements, shrunken

VIEWS = (
    "ad_performance_daily", "data_quality", "deals", "kpi_definitions", "kpi_parameters",
    "kpi_values", "leads_daily", "objectives", "scorecard", "survey_scores",
)  # fmt: skip
NEVER_EMPTY = ("kpi_definitions", "kpi_values", "objectives", "scorecard")
FAILED = ("error", "fail", "runtime error")


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason not to publish: `cause` for the marketer, `reason` for the engineer."""

    cause: str
    reason: str


@dataclass(frozen=True, slots=True)
class Audit:
    """The verdict on a candidate; `rows` and `content_hash` are known when it could be read."""

    as_of_date: date
    findings: tuple[Finding, ...]
    content_hash: str | None = None
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def may_publish(self) -> bool:
        return not self.findings

    @property
    def reasons(self) -> list[str]:
        """A line each for the engineer."""
        return [finding.reason for finding in self.findings]

    @property
    def causes(self) -> list[str]:
        """A sentence each for the marketer, none twice."""
        return list(dict.fromkeys(finding.cause for finding in self.findings))


def audit(home: Home, settings: Settings, clock: Clock, *, accept_movements: bool = False) -> Audit:
    """Judge the candidate in the warehouse; it changes nothing.

    `accept_movements`: a person has looked at the values that moved, and they are right.
    """
    findings = list(_failed_nodes(home))
    try:
        candidate = read_candidate(home, clock)
    except (NotTransformedError, ContractError, NotCanonicalError) as error:
        findings.append(Finding("The night's numbers could not be put together.", str(error)))
        return Audit(clock.as_of_date, tuple(findings))
    findings += _blocked_batches(home)
    findings += _missing_or_empty(candidate)
    findings += [
        Finding("The night's numbers contradict themselves.", reason)
        for reason in failed_expectations(candidate.views, candidate.slices)
    ]
    if not accept_movements:
        findings += [
            Finding(f"Numbers that were settled would change: {moved}.", f"movement: {moved}")
            for moved in movements(home, candidate, settings.company.reporting_currency)
        ]
        findings += [
            Finding("Much of what was published would be lost.", lost)
            for lost in shrunken(home, candidate)
        ]
    return Audit(clock.as_of_date, tuple(findings), candidate.content_hash, candidate.rows)


def _failed_nodes(home: Home) -> Iterator[Finding]:
    """Models that did not build and tests that failed, from dbt's run results."""
    path = home.dbt_target / "run_results.json"
    try:
        results = json.loads(path.read_text(encoding="utf-8"))["results"]
    except (FileNotFoundError, ValueError):  # the candidate says so
        return
    for result in results:
        if result["status"] in FAILED:
            kind, _, name = result["unique_id"].partition(".")
            message = " ".join((result.get("message") or "").split())
            yield Finding(
                "The night's numbers did not pass their own tests."
                if kind == "test"
                else "The night's numbers could not be computed.",
                f"dbt {kind} {name.split('.')[1]}: {result['status']}: {message}",
            )


def _blocked_batches(home: Home) -> Iterator[Finding]:
    """Streams whose newest batch is blocked; a later good batch lifts it."""
    with duckdb.connect(str(home.warehouse), read_only=True) as warehouse:
        rows = warehouse.execute(
            """
            with newest as (
                select *
                from ops.loaded_batches
                qualify row_number() over (
                    partition by source, account, stream order by sequence desc
                ) = 1
            )
            select newest.source, newest.account, newest.stream, newest.batch_id,
                coalesce(checks.check_id, 'unknown check'),
                coalesce(checks.sentence, 'New data did not pass a check that stops everything.')
            from newest
            left join ops.check_results as checks
                on newest.source = checks.source
                and newest.account = checks.account
                and newest.stream = checks.stream
                and newest.batch_id = checks.batch_id
                and checks.action = 'block'
                and checks.state in ('fail', 'error')
            where newest.state = 'blocked'
            order by all
            """
        ).fetchall()
    for source, account, stream, batch, check, sentence in rows:
        yield Finding(sentence, f"{source}/{account}/{stream}: batch {batch} is blocked by {check}")


def _missing_or_empty(candidate: Candidate) -> Iterator[Finding]:
    for name in VIEWS:
        if name not in candidate.rows:
            yield Finding("A part of the scorecard is missing.", f"no model is published as {name}")
        elif name in NEVER_EMPTY and candidate.rows[name] == 0:
            yield Finding("A part of the scorecard is empty.", f"{name} has no rows")
