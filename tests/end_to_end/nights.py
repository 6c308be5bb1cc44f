"""A small company and its nights, driven by the plain steps of `Night`, without Airflow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
from click.testing import CliRunner

from boscard.cli import main
from boscard.clock import Clock
from boscard.home import PROJECT, Home
from boscard.night import Night
from boscard.settings import Settings, read_settings
from ingest.connections import Connection
from ingest.errors import IngestError
from ingest.landing import Landing, verdict_state
from ingest.tokens import FileTokens
from publish.publication import Publication
from publish.read import read
from sandbox.company import Company
from sandbox.connections import connections
from sandbox.limits import Limits
from sandbox.server import Sandbox, serving
from sandbox.truth import company_of, truth
from tests.end_to_end.expected import Rates, expected_values, weights_of_checks


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings, a home of its own, and the sandbox that answers it."""

    settings: Settings
    home: Home
    sandbox: Sandbox
    base_url: str

    def night(self, day: date) -> Night:
        """The night of `day`; the vendors show it from now on."""
        company = self.settings.company
        clock = Clock(day, company.zone, company.publication_hour)
        self.sandbox.set_clock(clock)
        return Night(self.settings, self.home, clock)

    def connection(self, name: str) -> Connection:
        offered = connections(self.base_url)[name]
        return Connection(offered["host"], offered["login"], offered["password"], offered["extra"])

    def ingest(self, night: Night, again: bool = False) -> dict[str, IngestError]:
        """Pull, gate and report every source; what a source's pull raised."""
        errors = {}
        for source in night.settings.sources:
            units = night.due(source, again)
            try:
                night.pull(units, self.connection, FileTokens(self.home.tokens))
            except IngestError as error:
                errors[source] = error
            night.gate(source)
            night.report(source)
        return errors

    def publish(self, night: Night) -> Publication:
        """Load, transform, audit and publish what was ingested."""
        night.load()
        report = night.transform()
        assert report.succeeded, [
            (node.name, node.status, node.message) for node in report.failures
        ] or report.error
        audit = night.audit()
        assert audit.may_publish, audit.reasons
        return night.publish()

    def run(self, day: date) -> Publication:
        """A whole night without a fault."""
        night = self.night(day)
        errors = self.ingest(night)
        assert not errors, errors
        return self.publish(night)

    def truth(self, day: date, cuts: Mapping[str, date] | None = None) -> pd.DataFrame:
        company = self.settings.company
        clock = Clock(day, company.zone, company.publication_hour)
        return truth(self.sandbox.company, clock, cuts, self.swept())

    def swept(self) -> date | None:
        """The last night whose list of contacts went on."""
        batches = Landing(self.home.landing).batches("hubspot", None, "contact_ids")
        nights = [
            batch.manifest.as_of_date for batch in batches if verdict_state(batch) == "passed"
        ]
        return max(nights, default=None)

    def expected(self, day: date, cuts: Mapping[str, date] | None = None) -> pd.DataFrame:
        """What the publication of `day` must hold."""
        return expected_values(
            self.truth(day, cuts),
            weights_of_checks(self.home.landing),
            Rates(self.settings.company.reporting_currency),
            start=self.settings.company.history_start,
            as_of=day,
            cuts=cuts,
        )

    def read(self, view: str) -> pd.DataFrame:
        return read(view, self.home)


def rows_of(view: pd.DataFrame) -> pd.DataFrame:
    """A view without the name of its publication, which is no part of a row."""
    return view.drop(columns="publication_id", errors="ignore")


def small_settings(start: date, scale: float) -> Settings:
    """The repository's settings with a shorter history and a smaller company."""
    settings = read_settings()
    company = settings.company.model_copy(update={"history_start": start})
    sandbox = settings.sandbox.model_copy(update={"scale": scale})
    return settings.model_copy(update={"company": company, "sandbox": sandbox})


def write_small_settings(path: Path, start: date, scale: float, more: str = "") -> Settings:
    """The same as a file, for what reads its own settings; `more`: tables at its end."""
    text = (PROJECT / "boscard.toml").read_text("utf-8")
    for old, new in (
        ("history_start = 2025-10-01", f"history_start = {start}"),
        ("[sandbox]\n", f"[sandbox]\nscale = {scale}\n"),
    ):
        assert old in text
        text = text.replace(old, new)
    path.write_text(f"{text}\n{more}", "utf-8")
    return read_settings(path)


def command(installation: Installation, *arguments: str, status: int = 0) -> str:
    """What `boscard` says to somebody who types this; it is to end with this status."""
    root = installation.home.root
    path = root.with_name("boscard.toml")
    company, sandbox = installation.settings.company, installation.settings.sandbox
    settings = write_small_settings(path, company.history_start, sandbox.scale)
    assert settings == installation.settings
    homes = {"BOSCARD_HOME": str(root), "BOSCARD_SETTINGS": str(path), "COLUMNS": "400"}
    result = CliRunner().invoke(main, arguments, env=homes)
    assert result.exit_code == status, (result.output, result.exception)
    return result.stdout


@contextmanager
def installed(
    root: Path, settings: Settings, company: Company | None = None
) -> Iterator[Installation]:
    """An installation below `root` whose sandbox serves as long as the context lasts."""
    company = company or company_of(settings)
    zone, hour = settings.company.zone, settings.company.publication_hour
    clock = Clock(settings.company.history_start, zone, hour)
    sandbox = Sandbox(company, clock, limits=Limits.none())
    with serving(sandbox) as base_url:
        yield Installation(settings, Home(root / "var"), sandbox, base_url)
