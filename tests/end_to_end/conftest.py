"""Four nights of a small company over a change of month and of the clocks, and what each left."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from ingest.errors import IngestError
from publish.publication import Publication
from sandbox.company import Company
from sandbox.truth import company_of
from tests.end_to_end.nights import Installation, installed, small_settings

START, SCALE = date(2026, 7, 5), 0.2
FIRST = date(2026, 10, 30)
SECOND, THIRD, FOURTH = (FIRST + timedelta(days=days) for days in (1, 2, 3))
VIEWS = ("kpi_values", "ad_performance_daily", "deals", "scorecard")


@dataclass(frozen=True, slots=True)
class Left:
    """What one night left behind."""

    day: date
    cuts: Mapping[str, date]
    publication: Publication
    views: Mapping[str, pd.DataFrame]
    expected: pd.DataFrame
    truth: pd.DataFrame
    complaints: list[str]
    errors: Mapping[str, IngestError]


@pytest.fixture(scope="session", autouse=True)
def _no_fsync() -> Iterator[None]:
    """Nothing here is about a power cut, and syncing each small file is most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        yield


@pytest.fixture(scope="session")
def company() -> Company:
    return company_of(small_settings(START, SCALE))


@pytest.fixture(scope="session")
def installation(
    tmp_path_factory: pytest.TempPathFactory, company: Company
) -> Iterator[Installation]:
    root = tmp_path_factory.mktemp("nights")
    with installed(root, small_settings(START, SCALE), company) as ready:
        yield ready


@pytest.fixture(scope="session")
def first(installation: Installation) -> Left:
    """The first night: the whole history."""
    return lived(installation, FIRST)


@pytest.fixture(scope="session")
def home_after_first(
    installation: Installation, first: Left, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A copy of the home as the first night left it."""
    path = tmp_path_factory.mktemp("copies") / "first"
    _copy(installation.home.root, path)
    return path


@pytest.fixture(scope="session")
def second(installation: Installation, home_after_first: Path) -> Left:
    """The next night, in which the vendors restate."""
    return lived(installation, SECOND)


@pytest.fixture(scope="session")
def third(installation: Installation, second: Left) -> Left:
    """A night, the first of a month, in which HubSpot refuses the connection."""
    installation.sandbox.faults.add({"vendor": "hubspot", "fault": "revoke"})
    left = lived(installation, THIRD, {"hubspot": SECOND})
    installation.sandbox.faults.remove()
    return left


@pytest.fixture(scope="session")
def fourth(installation: Installation, third: Left) -> Left:
    """The night in which HubSpot answers again."""
    return lived(installation, FOURTH)


@pytest.fixture(scope="module")
def another(
    tmp_path_factory: pytest.TempPathFactory, company: Company, home_after_first: Path
) -> Callable[[], AbstractContextManager[Installation]]:
    """Makes installations of their own that have lived the first night, with sound vendors."""

    def make() -> AbstractContextManager[Installation]:
        root = tmp_path_factory.mktemp("another")
        _copy(home_after_first, root / "var")
        return installed(root, small_settings(START, SCALE), company)

    return make


def lived(installation: Installation, day: date, cuts: Mapping[str, date] | None = None) -> Left:
    night = installation.night(day)
    errors = installation.ingest(night)
    publication = installation.publish(night)
    return Left(
        day=day,
        cuts=cuts or {},
        publication=publication,
        views={view: installation.read(view) for view in VIEWS},
        expected=installation.expected(day, cuts),
        truth=installation.truth(day, cuts),
        complaints=night.complaints(),
        errors=errors,
    )


def _copy(home: Path, to: Path) -> None:
    """Copy a home with its owners: Postgres refuses to serve a folder of somebody else."""
    subprocess.run(["cp", "-a", str(home), str(to)], check=True)
