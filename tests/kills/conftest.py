"""A small company's first night, its second night undisturbed, and copies of both at each step."""

from __future__ import annotations

import multiprocessing.process
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import psycopg
import pytest

from boscard.clock import Clock
from boscard.home import Home
from boscard.settings import Settings
from publish import embedded
from publish.contract import View
from publish.embedded import ADMIN, Embedded
from publish.login import WRITER
from sandbox.limits import Limits
from sandbox.server import Sandbox, serving
from sandbox.truth import company_of
from tests.end_to_end.nights import small_settings
from tests.kills.left import Shown, in_duckdb, views_of
from tests.kills.life import COULD_NOT_WRITE, INGEST, KILLED, Life, Point, Step, begin, end

START, FIRST, SECOND = date(2026, 10, 12), date(2026, 10, 31), date(2026, 11, 1)
SCALE = 0.1
NOWHERE = "nowhere"  # the database of lives that never reach one


@dataclass
class Bench:
    """Homes at each step of two undisturbed nights, and lives below copies of them."""

    root: Path
    settings: Settings
    sandbox: Sandbox
    base_url: str
    server: Embedded
    lives: int = 0

    def home_after(self, day: date, step: Step) -> Path:
        return self.root / f"{day}_{step}"

    def copy(self, day: date | None = None, step: Step = "tell") -> Path:
        """A home as the undisturbed night of `day` left it after `step`; without `day` there is
        only a key in it, so that all homes hash alike."""
        self.lives += 1
        home = self.root / f"home_{self.lives}"
        if day is None:
            key = Home(home).hash_key
            key.parent.mkdir(parents=True)
            key.write_text("the key of every home in these tests")
        else:
            copy(self.home_after(day, step), home)
        return home

    def database(self, name: str, template: str | None = None) -> str:
        """The name of a new database, like `template`."""
        with psycopg.connect(self.server.login(ADMIN).url, autocommit=True) as connection:
            like = f"template {template}" if template else ""
            connection.execute(f"create database {name} owner {WRITER} {like}".encode())
        return name

    def url(self, database: str, role: str = WRITER) -> str:
        return replace(self.server.login(role), database=database).url

    def begin(
        self,
        home: Path,
        steps: tuple[Step, ...],
        point: Point | None = None,
        *,
        day: date = SECOND,
        database: str | None = NOWHERE,
        largest_file: int | None = None,
        is_bound: bool = False,
    ) -> multiprocessing.process.BaseProcess:
        company = self.settings.company
        self.sandbox.set_clock(Clock(day, company.zone, company.publication_hour))
        self.lives += 1
        life = Life(
            home=home,
            settings=self.settings,
            base_url=self.base_url,
            day=day,
            steps=steps,
            postgres_url=None if database is None else self.url(database),
            consent=f"life-{self.lives}",
            log=self.log(home),
            point=point,
            largest_file=largest_file,
            is_bound=is_bound,
        )
        return begin(life)

    def live(self, home: Path, steps: tuple[Step, ...], **more) -> None:
        """Steps that must succeed."""
        status = end(self.begin(home, steps, **more))
        assert status == 0, self.said(home)

    def kill(self, home: Path, steps: tuple[Step, ...], point: Point, **more) -> None:
        """Steps that must be killed at `point`."""
        status = end(self.begin(home, steps, point, **more))
        assert status == KILLED, f"{point} was not reached: {status}\n{self.said(home)}"

    def fail(self, home: Path, steps: tuple[Step, ...], **more) -> str:
        """Steps that must end with a word about the disk: the word."""
        status = end(self.begin(home, steps, **more))
        assert status == COULD_NOT_WRITE, f"{status}: {self.said(home)}"
        return self.said(home)

    def log(self, home: Path) -> Path:
        return self.root / f"{home.name}.log"

    def said(self, home: Path) -> str:
        with suppress(FileNotFoundError):
            return self.log(home).read_text("utf-8")[-4000:]
        return ""


def copy(home: Path, to: Path) -> None:
    subprocess.run(["cp", "-a", str(home), str(to)], check=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What a machine could not prove about kills and disks is said aloud, by name."""
    skipped = [
        report.nodeid
        for report in terminalreporter.stats.get("skipped", [])
        if report.nodeid.startswith("tests/kills/")
    ]
    if skipped:
        terminalreporter.section(f"NOT PROVED HERE: {len(skipped)} tests of kills", red=True)
        for name in skipped:
            terminalreporter.line(name, red=True)


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Two undisturbed nights, the second kept after each step."""
    root = tmp_path_factory.mktemp("kills")
    settings = small_settings(START, SCALE)
    company = settings.company
    clock = Clock(FIRST, company.zone, company.publication_hour)
    sandbox = Sandbox(company_of(settings), clock, limits=Limits.none())
    server = Embedded(root / "server" / "postgres")
    with pytest.MonkeyPatch.context() as patch, serving(sandbox) as base_url:
        patch.setattr(embedded, "SETTINGS", {**embedded.SETTINGS, "fsync": "off"})
        server.start()
        try:
            ready = Bench(root, settings, sandbox, base_url, server)
            home = ready.copy()
            database = ready.database("undisturbed")
            parts: list[tuple[Step, ...]] = [
                ("pull",), INGEST, ("load",), ("transform",), ("audit", "publish"),
                ("page", "tell"),
            ]  # fmt: skip
            for day in (FIRST, SECOND):
                for steps in parts:
                    ready.live(home, steps, day=day, database=database)
                    copy(home, ready.home_after(day, steps[-1]))
                if day == FIRST:
                    ready.database("first", template=database)
            yield ready
        finally:
            server.stop()
            shutil.rmtree(root)


@pytest.fixture(scope="session")
def views(bench: Bench) -> tuple[View, ...]:
    return views_of(bench.home_after(SECOND, "tell"))


@pytest.fixture(scope="session")
def undisturbed(bench: Bench, views: tuple[View, ...]) -> Shown:
    """The second night's publication."""
    shown = in_duckdb(bench.home_after(SECOND, "tell"), views)
    assert shown.is_whole
    return shown
