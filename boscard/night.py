"""One night as plain functions: what Airflow's tasks call, and what runs as well without Airflow."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from boscard.clock import Clock
from boscard.home import Home
from boscard.settings import Settings, read_settings
from ingest.batch import Unit
from ingest.errors import IngestError, Skipped
from ingest.landing import Landing
from ingest.plan import plan
from ingest.progress import Lines, Progress, Quiet
from ingest.registry import SOURCES

if TYPE_CHECKING:
    from expectations.verdict import Verdict
    from ingest.connections import Connection
    from ingest.tokens import TokenStore
    from publish.audit import Audit
    from publish.publication import Publication
    from warehouse.load import LoadReport
    from warehouse.transform import TransformReport


@dataclass(frozen=True, slots=True)
class Night:
    """Settings, folders and clock of one night. Every step may be called again: it then does nothing."""

    settings: Settings
    home: Home
    clock: Clock

    @classmethod
    def ending(cls, data_interval_end: datetime) -> Night:
        """The night of an Airflow run, which is known by the end of its data interval alone."""
        settings = read_settings()
        company = settings.company
        clock = Clock.at(data_interval_end, company.zone, company.publication_hour)
        return cls(settings, Home.default(), clock)

    @property
    def landing(self) -> Landing:
        return Landing(self.home.landing)

    def due(self, source: str, again: bool = False) -> list[Unit]:
        """The units of a source that are still to be pulled."""
        return plan(self.settings, source, self.clock, self.landing, again)

    def pull(
        self,
        units: list[Unit],
        connection: Callable[[str], Connection],
        tokens: TokenStore,
        progress: Progress | None = None,
    ) -> list[str]:
        """Pull units of one source; those that fail stop no other. Returns the ids of the batches.

        Raises the first unit's error (Throttled, Transient, Refused) after all have been tried.
        """
        from ingest.pull import pull_units

        done = pull_units(
            units,
            settings=self.settings,
            clock=self.clock,
            landing=self.landing,
            connection=connection,
            tokens=tokens,
            progress=progress or _progress(),
        )
        for pulled in done:
            self._remember_failure(pulled.unit, pulled.error)
        errors = [pulled.error for pulled in done if pulled.error is not None]
        serious = [error for error in errors if not isinstance(error, Skipped)]
        if serious:
            raise serious[0]
        return [pulled.batch.manifest.batch_id for pulled in done if pulled.batch is not None]

    def gate(self, source: str) -> list[Verdict]:
        """Judge all landed batches of a source that no gate has seen."""
        from expectations.gate import gate_source

        return gate_source(source, landing=self.landing, settings=self.settings)

    def report(self, source: str) -> dict[str, Any]:
        """Say that a source is done for tonight, and what of it is missing and why."""
        missing = []
        for unit in self.due(source):
            reason = self._failure(unit)
            if reason.get("error") == Skipped.__name__:
                continue
            missing.append(
                {
                    "account": unit.account,
                    "stream": unit.stream,
                    "window": f"{unit.window.start}..{unit.window.end}" if unit.window else None,
                    **reason,
                }
            )
        report = {
            "source": source,
            "as_of_date": self.clock.as_of_date.isoformat(),
            "missing": missing,
        }
        path = self._report_path(source)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=1), encoding="utf-8")
        return report

    def unreported(self) -> list[str]:
        """The configured sources that have not said yet that they are done for tonight."""
        return [name for name in self.settings.sources if not self._report_path(name).exists()]

    def reports(self) -> list[dict[str, Any]]:
        """What each source said of tonight; one that said nothing is missing whole."""
        found = []
        for source in self.settings.sources:
            path = self._report_path(source)
            if path.exists():
                found.append(json.loads(path.read_text(encoding="utf-8")))
            else:
                missing = [{"account": "", "stream": "", "window": None, "error": "Unreported"}]
                found.append({"source": source, "missing": missing})
        return found

    def load(self) -> LoadReport:
        from warehouse.load import load

        return load(self.home, self.settings, self.clock)

    def transform(self) -> TransformReport:
        from warehouse.transform import transform

        return transform(self.home, self.settings, self.clock)

    def audit(self) -> Audit:
        from publish.audit import audit

        return audit(self.home, self.settings, self.clock)

    def publish(self) -> Publication:
        from publish.publication import publish

        return publish(self.home, self.settings, self.clock)

    def _report_path(self, source: str) -> Any:
        return self.home.landing / source / "reports" / f"{self.clock.as_of_date}.json"

    def _failure_path(self, unit: Unit) -> Any:
        return self.home.landing / unit.source / unit.account / unit.stream / "failure.json"

    def _remember_failure(self, unit: Unit, error: IngestError | None) -> None:
        path = self._failure_path(unit)
        if error is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        record = {
            "as_of_date": self.clock.as_of_date.isoformat(),
            "error": type(error).__name__,
            "message": error.message,
            "next_step": error.next_step,
        }
        path.write_text(json.dumps(record), encoding="utf-8")

    def _failure(self, unit: Unit) -> dict[str, str]:
        try:
            record = json.loads(self._failure_path(unit).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {"error": "NotTried", "message": "it was not tried", "next_step": ""}
        if record.pop("as_of_date") != self.clock.as_of_date.isoformat():
            return {"error": "NotTried", "message": "it was not tried tonight", "next_step": ""}
        return dict(record)


def _progress() -> Progress:
    """Lines into the file that a watching parent process named, if one did."""
    path = os.environ.get("BOSCARD_PROGRESS")
    return Lines(open(path, "a", encoding="utf-8")) if path else Quiet()  # noqa: SIM115


def is_known_source(name: str) -> bool:
    return name in SOURCES
