"""A small company after a week without nights, lived on twice: by plain steps, and by `boscard up`.

The night is the real yesterday, because a scheduler knows no other; the company's time zone is one
where it is about noon, so that no day ends meanwhile.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from boscard.backfill import asking
from boscard.home import PROJECT, Home
from boscard.settings import Settings, read_settings
from ingest.landing import Landing
from publish.read import current_record
from tests.airflow.rest import Airflow
from tests.dags.collector import Collector, collector
from tests.end_to_end.nights import installed
from tests.processes import processes_below

HISTORY, AWAY, WEEK = timedelta(days=52), timedelta(days=7), timedelta(days=6)
SCALE = 0.05


@dataclass(frozen=True, slots=True)
class Left:
    """What stands after a night: the publication's hash, the batches, the rows of raw tables."""

    publication_id: str
    content_hash: str
    batches: Counter[tuple[Any, ...]]
    raw: Mapping[str, int]


@dataclass(slots=True)
class Plain:
    """The same nights by plain steps: the settings, a home as it was a week ago, what each left."""

    settings: Path
    home: Path
    last: date
    week: tuple[date, date]
    night: Left
    backfill: Left


@dataclass(slots=True)
class Up:
    """An installation that `boscard up` serves."""

    home: Home
    settings: Path
    port: int
    collector: Collector
    said: list[str] = field(default_factory=list)

    def boscard(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "boscard.cli", *arguments],
            cwd=PROJECT,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.said.append(done.stdout)
        assert done.returncode == 0, f"{done.stdout}\n{self.logs()}"

    def start(self) -> Airflow:
        self.boscard("up", "--port", str(self.port))
        return Airflow.login(self.home, self.port)

    def logs(self) -> str:
        """The last lines of each service, for a test that failed."""
        paths = [self.home.logs / f"{name}.log" for name in ("scheduler", "api-server")]
        return "\n".join(path.read_text()[-4000:] for path in paths if path.exists())

    @property
    def environ(self) -> dict[str, str]:
        ours = ("AIRFLOW", "BOSCARD", "PYTEST")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        homes = {"BOSCARD_HOME": str(self.home.root), "BOSCARD_SETTINGS": str(self.settings)}
        metrics = {
            "AIRFLOW__METRICS__OTEL_ON": "True",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.url,
            "OTEL_METRIC_EXPORT_INTERVAL": "5000",
        }
        late = {"BOSCARD_LATE_SECONDS": "20"}  # while the first night is still at work
        return kept | homes | metrics | late | {"COLUMNS": "10000"}


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plain]:
    root = tmp_path_factory.mktemp("plain")
    path, settings, last = _settings(root)
    with pytest.MonkeyPatch.context() as patch, installed(root, settings) as installation:
        patch.setattr("os.fsync", lambda _: None)
        installation.run(last - AWAY)
        before = root / "before"
        subprocess.run(["cp", "-a", str(installation.home.root), str(before)], check=True)
        installation.run(last)
        night = left(installation.home)
        first = last - HISTORY + timedelta(days=3)
        again = asking(installation.night(last), first, first + WEEK)
        assert installation.ingest(again) == {}
        installation.publish(again)
        yield Plain(path, before, last, (first, first + WEEK), night, left(installation.home))


@pytest.fixture(scope="session")
def up(plain: Plain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    home = Home(tmp_path_factory.mktemp("scheduled") / "var")
    subprocess.run(["cp", "-a", str(plain.home), str(home.root)], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with collector() as collected:
        up = Up(home, plain.settings, port, collected)
        try:
            yield up
        finally:
            up.boscard("down")
            assert processes_below(home.root) == []


def left(home: Home) -> Left:
    record = current_record(home)
    assert record is not None
    manifests = [batch.manifest for batch in Landing(home.landing).batches()]
    batches = Counter(
        (each.source, each.account, each.stream, each.as_of_date, each.window, each.rows)
        for each in manifests
    )
    with duckdb.connect(str(home.warehouse), read_only=True) as warehouse:
        tables = warehouse.execute(
            "select table_name from duckdb_tables() where schema_name = 'raw'"
        ).fetchall()
        raw = {
            name: warehouse.execute(f'select count(*) from raw."{name}"').fetchall()[0][0]
            for (name,) in tables
        }
    return Left(record.publication_id, record.content_hash, batches, raw)


def _settings(root: Path) -> tuple[Path, Settings, date]:
    """The repository's settings for a small company where it is noon, and its last whole day."""
    now = datetime.now(UTC)
    zone = f"Etc/GMT{now.hour - 12:+d}"  # Etc/GMT+5 is five hours behind
    last = (now + timedelta(hours=12 - now.hour)).date() - timedelta(days=1)
    text = (PROJECT / "boscard.toml").read_text(encoding="utf-8")
    for key, line in (
        ("time_zone", f'time_zone = "{zone}"'),  # the company's stands before the accounts'
        ("history_start", f"history_start = {last - HISTORY}"),
        ("enabled", f"enabled = true\nscale = {SCALE}"),
    ):
        text = re.sub(rf"(?m)^{key} = .*$", line, text, count=1)
    path = root / "boscard.toml"
    path.write_text(text, encoding="utf-8")
    settings = read_settings(path)
    assert settings.company.time_zone == zone
    assert settings.sandbox.scale == SCALE
    return path, settings, last
