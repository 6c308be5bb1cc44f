"""A small company whose second night is a leap day, its first night, and its second undisturbed."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from boscard.clock import Clock
from boscard.home import Home
from boscard.night import Night
from expectations.verdict import Verdict, read_verdict
from ingest.batch import TYPED, Batch
from ingest.budget import Budget
from ingest.client import Client
from ingest.errors import IngestError
from ingest.pull import pull_units
from ingest.session import Patience
from ingest.stream import Stream
from ingest.tokens import FileTokens
from sandbox.faults import Fault
from sandbox.limits import Limits
from sandbox.server import Sandbox, serving
from sandbox.truth import company_of
from tests.end_to_end.nights import Installation, small_settings
from tests.faults.table import Case

START, FIRST, SECOND = date(2028, 2, 10), date(2028, 2, 28), date(2028, 2, 29)
SCALE = 0.5
Rows = Counter[tuple[str, ...]]


@pytest.fixture(scope="module", autouse=True)
def _hasty() -> Iterator[None]:
    """No syncing, no waiting, no rate limits; and small pages, so that there are several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        patch.setattr("ingest.pull.Budget", lambda _: Budget({}))
        patch.setitem(Client.__init__.__kwdefaults__, "sleep", lambda _: None)
        for name in ("hubspot.LIST", "hubspot_lists.LIST", "hubspot.HISTORY", "hubspot.SEARCH"):
            patch.setattr(f"ingest.sources.crm.{name}_ROWS", 10)
        patch.setattr("ingest.sources.survey.typeform.RESPONSE_ROWS", 4)
        yield


@dataclass(frozen=True, slots=True)
class Landed:
    """One batch of a night after the gate, with its loaded rows less their place in the batch."""

    batch: Batch
    verdict: Verdict
    rows: Rows

    @property
    def place(self) -> tuple[str, str]:
        return self.batch.manifest.account, self.batch.manifest.stream

    @property
    def failed(self) -> set[str]:
        return {result.rule for result in self.verdict.results if result.state == "fail"}

    def by_key(self, stream: Stream) -> dict[tuple[Any, ...], dict[str, Any]]:
        """The loaded rows by their key."""
        rows = pq.read_table(self.batch.path / TYPED).to_pylist()
        found = {tuple(row[name] for name in stream.key): row for row in rows}
        assert len(found) == len(rows)
        return found

    @property
    def stopping(self) -> set[str]:
        return {result.rule for result in self.verdict.stopping}


@dataclass(frozen=True, slots=True)
class Struck:
    """What came of one case's pull and gate."""

    landed: Mapping[tuple[str, str], Landed]
    error: IngestError | None
    fault: Fault


class Bench:
    """Second nights upon one first night, each in a home of its own, before one sandbox."""

    def __init__(self, installation: Installation, root: Path) -> None:
        self.installation = installation
        self._root = root
        self._tokens = root / "tokens"
        self._kept: list[FileTokens] = []
        self._homes = 0

    def tokens(self) -> FileTokens:
        """A new process's store over the same files: a vendor that rotates knows only the last."""
        self._kept.append(FileTokens(self._tokens))
        return self._kept[-1]

    def night(self, day: date = SECOND) -> Night:
        """A night in a copy of the first night's home."""
        self._homes += 1
        home = Home(self._root / f"home_{self._homes}")
        home.root.mkdir(parents=True)
        if day != FIRST:
            source = self.installation.home.root
            subprocess.run(["cp", "-a", f"{source}/.", str(home.root)], check=True)
        return replace(self.installation, home=home).night(day)

    def ingest(
        self, night: Night, source: str, stream: str | None = None, patience: Patience | None = None
    ) -> IngestError | None:
        units = [unit for unit in night.due(source) if stream in (None, unit.stream)]
        assert units
        with pytest.MonkeyPatch.context() as patch:
            if patience:
                patch.setitem(pull_units.__kwdefaults__, "patience", patience)
            try:
                night.pull(units, self.installation.connection, self.tokens())
            except IngestError as error:
                return error
            finally:
                night.gate(source)
        return None

    def strike(self, case: Case) -> Struck:
        faults = self.installation.sandbox.faults
        faults.remove()
        night = self.night()
        for fault in case.faults:
            faults.add(fault)
        patience = Patience(attempts=3, read_seconds=case.read_seconds)
        error = self.ingest(night, case.vendor, case.stream, patience)
        [fault] = faults.standing()
        faults.remove()
        return Struck(landed(night, case.vendor, case.stream), error, fault)


def landed(night: Night, source: str, stream: str | None = None) -> dict[tuple[str, str], Landed]:
    """The night's own batches of a source, by account and stream."""
    found = {}
    for batch in night.landing.batches(source, None, stream):
        if batch.manifest.as_of_date != night.clock.as_of_date:
            continue
        verdict = read_verdict(batch)
        assert verdict is not None
        typed = batch.path / TYPED
        table = pq.read_table(typed).drop_columns(["_line", "_call_id"]) if typed.exists() else None
        columns = [map(str, column.to_pylist()) for column in table.columns] if table else []
        one = Landed(batch, verdict, Counter(zip(*columns, strict=True)))
        assert one.place not in found
        found[one.place] = one
    return found


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """After an undisturbed first night."""
    root = tmp_path_factory.mktemp("faults")
    settings = small_settings(START, SCALE)
    company = settings.company
    sandbox = Sandbox(
        company_of(settings),
        Clock(FIRST, company.zone, company.publication_hour),
        limits=replace(Limits.none(), google_ads_page_rows=40),
    )
    with serving(sandbox) as base_url:
        installation = Installation(settings, Home(root / "var"), sandbox, base_url)
        ready = Bench(installation, root / "nights")
        night = installation.night(FIRST)
        for source in night.settings.sources:
            assert ready.ingest(night, source) is None
            night.report(source)
        yield ready


@pytest.fixture(scope="module")
def undisturbed(bench: Bench) -> Mapping[str, Mapping[tuple[str, str], Landed]]:
    """The second night without a fault, by source."""
    night = bench.night()
    found = {}
    for source in night.settings.sources:
        assert bench.ingest(night, source) is None
        found[source] = landed(night, source)
    return found
