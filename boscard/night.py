"""One night as plain functions: what Airflow's tasks call, and what runs without Airflow too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boscard.clock import Clock
from boscard.disk import CannotWrite, complain, writing
from boscard.home import Home
from boscard.landing import note_sandbox, open_landing
from boscard.settings import Settings, SettingsError, read_settings
from boscard.watched import pull_progress, say
from ingest.batch import Batch, Unit, Window
from ingest.errors import IngestError, Skipped
from ingest.landing import REPORTS, Landing, read_batch
from ingest.plan import plan
from ingest.registry import SOURCES
from ingest.store import Folder

if TYPE_CHECKING:
    from expectations.verdict import Verdict
    from ingest.connections import Connection
    from ingest.progress import Progress
    from ingest.tokens import TokenStore
    from publish.audit import Audit
    from publish.history import Record
    from publish.publication import Publication
    from warehouse.load import LoadReport
    from warehouse.transform import TransformReport

FAILURE = "failure.json"
NOT_JUDGED = {
    "error": "NotJudged",
    "message": "it has landed, but no gate has judged it",
    "next_step": "see the failed `gate` task; run the night again",
}


@dataclass(frozen=True, slots=True)
class Night:
    """Settings, folders, clock of one night; each step may be called again, then does nothing.

    `asked` are days that a person wants from the vendors anew in this night (a backfill).
    """

    settings: Settings
    home: Home
    clock: Clock
    asked: Window | None = None

    @classmethod
    def ending(cls, data_interval_end: datetime, asked: Window | None = None) -> Night:
        """The night of an Airflow run: the newest one at the end of its data interval."""
        settings = read_settings()
        company = settings.company
        clock = Clock.newest(data_interval_end, company.zone, company.publication_hour)
        return cls(settings, Home.default(), clock, asked)

    @property
    def landing(self) -> Landing:
        return open_landing(self.home, self.settings)

    def due(
        self, source: str, again: bool = False, only: tuple[str, str] | None = None
    ) -> list[Unit]:
        """The units of a source that are still to be pulled; `only`: of an account and stream."""
        return plan(self.settings, source, self.clock, self.landing, again, self.asked, only)

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

        with self._writing("pull"):
            note_sandbox(self.home, self.settings)
            done = pull_units(
                units,
                settings=self.settings,
                clock=self.clock,
                landing=self.landing,
                connection=connection,
                tokens=tokens,
                progress=progress or pull_progress(),
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

        with self._writing("gate"):
            return gate_source(
                source,
                landing=self.landing,
                settings=self.settings,
                spilled=self.home.spilled,
            )

    def report(self, source: str) -> dict[str, Any]:
        """Say that a source is done for tonight, and what of it is missing and why."""
        missing = []
        blocking = {batch.manifest.unit for batch, _ in self._stopped(source)}
        for unit in self.due(source):
            if unit in blocking:
                continue
            reason = self._failure(unit)
            if reason.get("error") == Skipped.__name__:
                continue
            missing.append(_missing(unit, reason))
        missing += [_missing(unit, NOT_JUDGED) for unit in self._unjudged(source)]
        report = {
            "source": source,
            "as_of_date": self.clock.as_of_date.isoformat(),
            "missing": missing,
        }
        with self._writing("report"):
            self._reports(source).write(self._tonight, json.dumps(report, indent=1).encode())
        return report

    def unreported(self) -> list[str]:
        """The configured sources that have not said yet that they are done for tonight."""
        return [
            name for name in self.settings.sources if not self._reports(name).has(self._tonight)
        ]

    def reports(self) -> list[dict[str, Any]]:
        """What each source said of tonight; one that said nothing is missing whole."""
        found = []
        for source in self.settings.sources:
            try:
                found.append(json.loads(self._reports(source).read(self._tonight)))
            except FileNotFoundError:
                missing = [
                    {
                        "account": "",
                        "stream": "everything",
                        "window": None,
                        "error": "NotTried",
                        "message": "its ingest did not report tonight",
                        "next_step": f"look at the DAG ingest_{source}",
                    }
                ]
                found.append({"source": source, "missing": missing})
        return found

    def load(self) -> LoadReport:
        from boscard.hash_key import hash_key
        from warehouse.load import load

        with self._writing("load"):
            report = load(self.home, self.settings, self.clock, hash_key(self.home, self.settings))
        say(f"load: {len(report.loaded)} batches, {report.rows:,} rows; {len(report.held)} held")
        return report

    def transform(self) -> TransformReport:
        from warehouse.transform import transform

        with self._writing("transform"):
            report = transform(self.home, self.settings, self.clock)
            for words in (report.error, *(node.message for node in report.failures)):
                complain(self.home.root, "transform", words or "")
        say(f"transform: {len(report.nodes)} models and tests, {len(report.failures)} failed")
        return report

    def audit(self, accept_movements: bool = False) -> Audit:
        """May tonight be published? `accept_movements`: settled numbers may change this time."""
        from publish.audit import audit

        result = audit(self.home, self.settings, self.clock, accept_movements=accept_movements)
        say(f"audit: {len(result.findings)} reasons not to publish")
        return result

    def publish(self) -> Publication:
        from publish.publication import publish

        with self._writing("publish"):
            result = publish(self.home, self.settings, self.clock, postgres_url=self.postgres_url())
        say(f"publish: {result.changed_rows:,} rows changed")
        return result

    def page(self) -> Path | None:
        """Write the page of the current publication; None where nothing was ever published."""
        from publish.page import write_page
        from publish.read import current_record

        if current_record(self.home) is None:
            return None
        with self._writing("page"):
            return write_page(self.home, self.settings, self.complaints())

    def published(self) -> Record | None:
        """The current publication, if it is this night's."""
        from publish.read import current_record

        record = current_record(self.home)
        return record if record and record.as_of_date == self.clock.as_of_date else None

    def tell(self) -> int:
        """Post a message for each incident that begins or ends, and for a blocked publication.

        Returns how many are new; posting again is silent.
        """
        from expectations.incidents import Incidents, tell
        from expectations.messages import blocked_publication
        from expectations.outbox import Outbox

        incidents = Incidents(self.home.incidents)
        told = list(
            tell(
                self._stopped(),
                incidents,
                self.clock.as_of_date,
                landing=self.landing,
                settings=self.settings,
            )
        )
        messages = [message for _, message in told if message is not None]
        if self.published() is None:
            audit = self.audit()
            causes = audit.causes or ["The numbers were sound, but they could not be put in place."]
            evidence = audit.reasons or ["the audit has no findings: see the log of `publish`"]
            messages.append(
                blocked_publication(
                    self.clock.as_of_date,
                    causes=causes,
                    evidence=[*evidence, *self._way_out(audit)],
                    settings=self.settings,
                )
            )
        with self._writing("tell"):
            new = sum(Outbox(self.home.outbox).post(message) for message in messages)
            for fact, _ in told:
                incidents.add(fact)
            Outbox(self.home.outbox, self._addresses()).deliver()
        return new

    def tell_late(self) -> None:
        """Post the message that tonight's scorecard is late; once a night."""
        from expectations.messages import late_publication
        from expectations.outbox import Outbox

        message = late_publication(self.clock.as_of_date, settings=self.settings)
        with self._writing("tell"):
            Outbox(self.home.outbox).post(message)
            Outbox(self.home.outbox, self._addresses()).deliver()

    def complaints(self) -> list[str]:
        """Why tonight is not whole, a line each: nothing published, and its shortcomings."""
        unpublished = "nothing was published tonight: the last publication stays"
        return [unpublished] * (self.published() is None) + self.shortcomings()

    def shortcomings(self) -> list[str]:
        """What tonight lacks whether it is published or not: units, held batches, messages."""
        found = []
        for report in self.reports():
            title = SOURCES[report["source"]].title
            reasons: dict[str, list[str]] = {}
            for unit in report["missing"]:
                words = f"{unit['error']}, {unit['message']}"
                if unit["next_step"]:
                    words += f". Next step: {unit['next_step']}"
                reasons.setdefault(words, []).append(f"{unit['account']} {unit['stream']}".strip())
            found += [f"{title}: {', '.join(units)}: {words}" for words, units in reasons.items()]
        for batch, verdict in self._stopped():
            title = SOURCES[batch.manifest.source].title
            sentences = [*dict.fromkeys(result.sentence for result in verdict.stopping)]
            if verdict.state == "blocked":
                sentences.append(f"{title} is asked again when this night is run again.")
            found.append(
                f"{title}: {batch.manifest.account} {batch.manifest.stream} {verdict.state}: "
                + " ".join(sentences)
            )
        found += self._unsent()
        return found

    @contextmanager
    def _writing(self, step: str) -> Iterator[None]:
        """A full disk or a closed folder is told where it can be seen, too, not in a log alone."""
        try:
            with writing(self.home.root, step):
                yield
        except CannotWrite as error:
            say(f"{step}: {error}")
            raise

    def postgres_url(self) -> str | None:
        """The serving database's URL from its connection; None for the embedded one."""
        name = self.settings.publication.postgres_connection
        if name is None:
            return None
        from boscard.connections import read_postgres_url

        return read_postgres_url(name)

    def _way_out(self, audit: Audit) -> list[str]:
        if audit.may_publish or not all(
            reason.startswith("movement: ") for reason in audit.reasons
        ):
            return []
        day = self.clock.as_of_date
        return [f"looked at, and right? boscard nightly --date {day} --accept-movements"]

    def _unsent(self) -> list[str]:
        from expectations.outbox import Outbox

        try:
            return Outbox(self.home.outbox, self._addresses()).complaints()
        except SettingsError as error:
            return [f"messages are written and not sent: {error}"]

    def _addresses(self) -> list[str]:
        name = self.settings.messages.connection
        if name is None:
            return []
        from boscard.connections import read_connection

        return read_connection(name).password.split()

    def _stopped(self, source: str | None = None) -> list[tuple[Batch, Verdict]]:
        """Tonight's units, of a source or of all, whose newest batch the gate held or blocked."""
        from expectations.verdict import read_verdict

        names = self.landing.names(source, as_of=self.clock.as_of_date)
        newest = {name.unit: name for name in names}
        batches = [read_batch(name) for name in newest.values()]
        judged = [(batch, read_verdict(batch)) for batch in batches]
        return [
            (batch, verdict)
            for batch, verdict in judged
            if verdict is not None and verdict.state != "passed"
        ]

    def _unjudged(self, source: str) -> list[Unit]:
        """What landed tonight and no gate has judged: the gate failed, or was never reached."""
        names = self.landing.names(source, as_of=self.clock.as_of_date)
        return [name.unit for name in names if not name.is_gated]

    def _reports(self, source: str) -> Folder:
        return self.landing.root / source / REPORTS

    @property
    def _tonight(self) -> str:
        """The name of tonight's report."""
        return f"{self.clock.as_of_date}.json"

    def _failures(self, unit: Unit) -> Folder:
        return self.landing.root / unit.source / unit.account / unit.stream

    def _remember_failure(self, unit: Unit, error: IngestError | None) -> None:
        if error is None:
            self._failures(unit).remove(FAILURE)
            return
        record = {
            "as_of_date": self.clock.as_of_date.isoformat(),
            "error": type(error).__name__,
            "message": error.message,
            "next_step": error.next_step,
        }
        self._failures(unit).write(FAILURE, json.dumps(record).encode())

    def _failure(self, unit: Unit) -> dict[str, str]:
        with suppress(FileNotFoundError):
            record = json.loads(self._failures(unit).read(FAILURE))
            if record.pop("as_of_date") == self.clock.as_of_date.isoformat():
                return dict(record)
        return {"error": "NotTried", "message": "it was not tried tonight", "next_step": ""}


def _missing(unit: Unit, reason: Mapping[str, str]) -> dict[str, str | None]:
    window = f"{unit.window.start}..{unit.window.end}" if unit.window else None
    return {"account": unit.account, "stream": unit.stream, "window": window, **reason}
