"""A scratch installation: settings with two ad accounts, one CRM, one survey account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from boscard.home import Home
from boscard.settings import Settings
from ingest.landing import Landing
from tests.warehouse.landed import KEY, a_clock
from warehouse.load import LoadReport, load

NIGHT = date(2025, 10, 20)


@pytest.fixture(scope="session")
def settings() -> Settings:
    account = {"time_zone": "Europe/Berlin", "currency": "EUR"}
    return Settings.model_validate(
        {
            "company": {
                "name": "Test & Co",
                "reporting_currency": "EUR",
                "time_zone": "Europe/Berlin",
                "history_start": date(2025, 10, 1),
                "publication_hour": 7,
            },
            "accounts": [
                {"source": "google_ads", "account": "100", "name": "DE", "connection": "google_ads"}
                | account,
                {"source": "google_ads", "account": "200", "name": "US", "connection": "google_ads"}
                | {"time_zone": "America/New_York", "currency": "USD"},
                {"source": "hubspot", "account": "300", "name": "CRM", "connection": "hubspot"}
                | account,
                {"source": "typeform", "account": "400", "name": "Forms", "connection": "typeform"}
                | account,
            ],
        }
    )


@pytest.fixture(scope="session", autouse=True)
def _no_fsync() -> Iterator[None]:
    """Nothing here is about a power cut, and syncing each small file is most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        yield


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "var")


@pytest.fixture
def landing(home: Home) -> Landing:
    return Landing(home.landing)


@pytest.fixture
def load_night(home: Home, settings: Settings) -> Callable[..., LoadReport]:
    def load_night(night: date = NIGHT) -> LoadReport:
        return load(home, settings, a_clock(night, settings), KEY)

    return load_night


@pytest.fixture
def query(home: Home) -> Callable[[str], list[tuple[Any, ...]]]:
    def query(sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(home.warehouse), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(sql).fetchall()

    return query
