"""A small warehouse and dbt manifest in the shape that the transform leaves behind."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import duckdb
import psycopg
import pytest

from boscard.clock import Clock
from boscard.home import Home
from boscard.settings import Settings
from publish import embedded
from publish.embedded import ADMIN, Embedded
from publish.login import READER, WRITER

FIRST_NIGHT = date(2026, 5, 20)

MARTS_SQL = Path(__file__).parent / "marts.sql"
KEYS = {
    "ad_performance_daily": ["account_id", "campaign_id", "report_date"],
    "data_quality": ["as_of_date", "source", "account", "stream", "check_id"],
    "deals": ["deal_id"],
    "kpi_definitions": ["kpi_id", "valid_from"],
    "kpi_parameters": ["kpi_id", "parameter", "valid_from"],
    "kpi_values": ["kpi_id", "period_type", "period_start", "segment_type", "segment"],
    "leads_daily": ["event_date", "channel", "is_paid"],
    "objectives": ["objective_id", "valid_from"],
    "scorecard": ["period_type", "period_start", "node_type", "node_id"],
    "survey_scores": ["survey_date", "form_id"],
}


@dataclass
class Installation:
    """One home with settings, and nights written into its warehouse on demand."""

    home: Home
    settings: Settings
    without: set[str] = field(default_factory=set)
    seed: str = "seed-1"

    def clock(self, day: date) -> Clock:
        company = self.settings.company
        return Clock(day, company.zone, company.publication_hour)

    def transform(
        self, day: date = FIRST_NIGHT, factor: float = 1, edit: str | None = None
    ) -> Clock:
        """Write the night's marts, batches and dbt's files; `edit` is SQL run afterwards."""
        self.home.warehouse.parent.mkdir(parents=True, exist_ok=True)
        self.home.dbt_target.mkdir(parents=True, exist_ok=True)
        nodes: dict[str, object] = {}
        with duckdb.connect(str(self.home.warehouse)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(f"set variable as_of = date '{day}'")
            connection.execute(f"set variable factor = {factor}")
            connection.execute(MARTS_SQL.read_text(encoding="utf-8"))
            connection.execute("create schema if not exists ops")
            connection.execute(LOADED_BATCHES)
            connection.execute(
                "insert into ops.loaded_batches values"
                " (?, 'google_ads', '1', 'campaign_daily', ?, ?, ?, 1, 'passed', 10, 10, 0, 0, 0)",
                [f"{day}", day, day, day],
            )
            if edit:
                connection.execute(edit)
            tables = connection.execute(
                "select table_name from duckdb_tables() where schema_name = 'marts' order by 1"
            ).fetchall()
            for (table,) in tables:
                name = table.removeprefix("fct_").removeprefix("dim_")
                if name not in self.without:
                    columns = connection.execute(f"describe marts.{table}").fetchall()
                    nodes[f"model.boscard.{table}"] = _node(table, name, columns)
        nodes["seed.boscard.objectives"] = {
            "resource_type": "seed", "name": "objectives", "checksum": {"checksum": self.seed}
        }  # fmt: skip
        manifest = {"nodes": nodes, "macros": {}}
        results = {"args": {"vars": {"as_of_date": str(day)}}, "results": []}
        (self.home.dbt_target / "manifest.json").write_text(json.dumps(manifest))
        (self.home.dbt_target / "run_results.json").write_text(json.dumps(results))
        return self.clock(day)


LOADED_BATCHES = """
create or replace table ops.loaded_batches (
    batch_id varchar, source varchar, account varchar, stream varchar, window_start date,
    window_end date, as_of_date date, sequence bigint, state varchar, rows_in bigint,
    rows_loaded bigint, rows_superseded bigint, rows_quarantined bigint, rows_held bigint
);
create table if not exists ops.check_results (
    source varchar, account varchar, stream varchar, batch_id varchar, as_of_date date,
    window_start date, window_end date, check_id varchar, rule varchar, severity varchar,
    action varchar, state varchar, observed varchar, expected varchar, n_failed bigint,
    n_total bigint, sentence varchar
)
"""


def _node(table: str, name: str, columns: list[tuple[str, ...]]) -> dict[str, object]:
    return {
        "resource_type": "model",
        "name": table,
        "alias": table,
        "schema": "marts",
        "description": f"The mart {name}, one row a\n  {', '.join(KEYS.get(name, []))}.",
        "checksum": {"checksum": "model-1"},
        "config": {
            "meta": {
                "publish_as": name,
                "key": KEYS.get(name, []),
                "names_publication": name in ("kpi_values", "scorecard"),
            }
        },
        "columns": {
            column: {"name": column, "data_type": kind, "description": f"It's what {column} says."}
            for column, kind, *_ in columns
        },
    }


@pytest.fixture(scope="session")
def settings() -> Settings:
    company = {
        "name": "Northwind & Sons",
        "reporting_currency": "EUR",
        "time_zone": "Europe/Berlin",
        "history_start": "2026-01-01",
        "publication_hour": 7,
    }
    account = {
        "source": "google_ads", "account": "1", "name": "Northwind DE", "connection": "google_ads",
        "time_zone": "Europe/Berlin",
    }  # fmt: skip
    return Settings.model_validate(
        {"company": company, "accounts": [account], "publication": {"keep": 2}}
    )


@dataclass(frozen=True)
class Database:
    """A database of its own in the running server."""

    name: str
    writer: str
    reader: str
    admin: str


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """One running server for all tests that need one."""
    server = Embedded(tmp_path_factory.mktemp("a server") / "postgres")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(embedded, "SETTINGS", {**embedded.SETTINGS, "fsync": "off"})
        server.start()
    yield server
    server.stop()


@pytest.fixture
def database(server: Embedded) -> Database:
    name = f"test_{secrets.token_hex(4)}"
    with psycopg.connect(server.login(ADMIN).url, autocommit=True) as connection:
        connection.execute(f"create database {name} owner {WRITER}")
    urls = [replace(server.login(role), database=name).url for role in (WRITER, READER, ADMIN)]
    return Database(name, *urls)


@pytest.fixture
def installation(tmp_path: Path, settings: Settings) -> Installation:
    return Installation(Home(tmp_path / "home"), settings)
