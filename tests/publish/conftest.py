"""A small warehouse and dbt manifest in the shape that the transform leaves behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb
import pytest

from boscard.clock import Clock
from boscard.home import Home
from boscard.settings import Settings
from publish.embedded import Embedded

FIRST_NIGHT = date(2026, 5, 20)

# name: (key, {column: (type, SQL)}, from clause). SQL may use {as_of} (a date) and {factor} (a number).
MARTS: dict[str, tuple[list[str], dict[str, tuple[str, str]], str]] = {
    "ad_performance_daily": (
        ["account_id", "campaign_id", "report_date"],
        {
            "account_id": ("varchar", "'4185550101'"),
            "campaign_id": ("varchar", "'c' || c"),
            "campaign_name": (
                "varchar",
                "if(c = 1, '<script>alert(1)</script>', 'Süd, \"' || c || '\" 🏔')",
            ),
            "report_date": ("date", "d::date"),
            "clicks": ("bigint", "c * 10 + day(d)"),
            "spend": ("decimal(18,6)", "c * 1.25 * day(d)"),
            "is_paid": ("boolean", "case when c = 3 then null else c = 1 end"),
            "ratio": ("double", "case when c = 3 then null else (c / 3)::double end"),
            "seen_at": ("timestamptz", "d::timestamptz + interval 90 minute"),
        },
        "range(1, 4) as campaigns (c), "
        "generate_series({as_of}::timestamp - interval 9 day, {as_of}::timestamp, interval 1 day) as days (d)",
    ),
    "kpi_values": (
        ["kpi_id", "period_type", "period_start", "segment_type", "segment"],
        {
            "kpi_id": ("varchar", "kpi_id"),
            "period_type": ("varchar", "period_type"),
            "period_start": ("date", "period_start::date"),
            "segment_type": ("varchar", "'company'"),
            "segment": ("varchar", "''"),
            "period_end": ("date", "period_end::date"),
            "is_running": ("boolean", "period_end::date > {as_of}"),
            "value": (
                "double",
                "case when kpi_id in ('C02', 'L05') then null when kpi_id = 'F01' then 90 + month(period_start) "
                "when kpi_id = 'P01' then 3.0 else 2.0 + month(period_start) / 10 end "
                "* if(kpi_id = 'F01' and period_type = 'month', {factor}, 1)",
            ),
            "no_data_reason": (
                "varchar",
                "case kpi_id when 'C02' then 'no answers' when 'L05' then 'suppressed' end",
            ),
            "target": ("double", "if(kpi_id = 'F01', 95, 3.5)"),
            "score": (
                "double",
                "case when kpi_id in ('C02', 'L05') then null when kpi_id = 'F01' then 0.9 else 0.2 end",
            ),
            "band": (
                "varchar",
                "case when kpi_id in ('C02', 'L05') then 'no data' when kpi_id = 'F01' then 'green' else 'red' end",
            ),
            "is_band_shown": ("boolean", "kpi_id = 'F01'"),
            "pace": ("double", "null"),
            "margin": ("double", "null"),
            "is_low_confidence": ("boolean", "kpi_id = 'F04'"),
            "data_through": ("date", "least(period_end::date, {as_of} - if(kpi_id = 'P01', 3, 0))"),
            "dq_state": (
                "varchar",
                "case kpi_id when 'F01' then 'verified' when 'F04' then 'provisional' else 'stale' end",
            ),
            "dq_reason": (
                "varchar",
                "case kpi_id when 'P01' then 'Google Ads is 3 days behind.' else '' end",
            ),
            "definition_version": ("bigint", "1"),
        },
        "(values ('F01'), ('F04'), ('C02'), ('P01'), ('L05')) as kpis (kpi_id), ("
        "select 'day' as period_type, d as period_start, d as period_end from "
        "generate_series({as_of}::timestamp - interval 40 day, {as_of}::timestamp, interval 1 day) as s (d) "
        "union all select 'month', m, last_day(m::date)::timestamp from "
        "generate_series(date_trunc('month', {as_of}::timestamp) - interval 5 month, {as_of}::timestamp, interval 1 month) "
        "as s (m)) as periods",
    ),
    "scorecard": (
        ["period_type", "period_start", "node_type", "node_id"],
        {
            "period_type": ("varchar", "'month'"),
            "period_start": ("date", "date_trunc('month', {as_of})::date"),
            "period_end": ("date", "last_day({as_of})"),
            "is_running": ("boolean", "true"),
            "node_type": ("varchar", "node_type"),
            "node_id": ("varchar", "node_id"),
            "parent_id": ("varchar", "parent_id"),
            "name": ("varchar", "name"),
            "owner_name": ("varchar", "owner"),
            "unit": ("varchar", "unit"),
            "value": ("double", "value"),
            "target": ("double", "target"),
            "no_data_reason": ("varchar", "no_data_reason"),
            "weight": ("double", "50.0"),
            "contribution": ("double", "score / 2"),
            "score": ("double", "score"),
            "coverage": ("double", "if(score is null, 0.0, 0.8)"),
            "band": ("varchar", "band"),
            "worst_status": ("varchar", "if(node_type = 'kpi', band, 'red')"),
            "red_count": ("bigint", "if(node_type = 'kpi', (band = 'red')::int, 1)"),
            "dq_state": ("varchar", "dq_state"),
            "dq_reason": ("varchar", "dq_reason"),
            "data_through": ("date", "{as_of} - behind"),
        },
        """(values
        ('company', 'company', null, 'Northwind', 'Miriam', null, null, null, null, 0.5, 'amber', 'stale', '', 3),
        ('perspective', 'financial', 'company', 'Financial', 'Miriam', null, null, null, null, 0.7, 'green', 'verified', '', 0),
        ('perspective', 'customer', 'company', 'Customer', 'Miriam', null, null, null, null, null, 'no data', 'stale', '', 3),
        ('perspective', 'process', 'company', 'Internal process', 'Miriam', null, null, null, null, 0.2, 'red', 'stale', '', 3),
        ('perspective', 'learning', 'company', 'Learning and growth', 'Miriam', null, null, null, null, null, 'no data', 'stale', '', 3),
        ('objective', 'earn', 'financial', 'Earn more', 'Jonas', null, null, null, null, 0.7, 'green', 'verified', '', 0),
        ('objective', 'delight', 'customer', 'Delight customers', 'Aylin', null, null, null, null, null, 'no data', 'stale', '', 3),
        ('objective', 'reach', 'process', 'Reach people', 'Lea', null, null, null, null, 0.2, 'red', 'stale', '', 3),
        ('objective', 'team', 'learning', 'Able team', 'Sofia', null, null, null, null, null, 'no data', 'stale', '', 3),
        ('kpi', 'F01', 'earn', 'Ad spend', 'Rahul <b>B</b>', 'money', 95.0 * {factor}, 95.0, null, 0.9, 'green', 'verified', '', 0),
        ('kpi', 'F04', 'earn', 'Return on ad spend', 'Jonas', 'ratio', 2.5, 3.5, null, 0.2, 'red', 'provisional', 'May still move.', 0),
        ('kpi', 'C02', 'delight', 'Customer satisfaction', 'Aylin', 'percent', null, 3.5, 'no answers', null, 'no data', 'stale', '', 3),
        ('kpi', 'P01', 'reach', 'Click-through rate', 'Lea', 'percent', 3.0, 3.5, null, 0.2, 'red', 'stale', 'Google Ads is 3 days behind.', 3),
        ('kpi', 'L05', 'team', 'Team eNPS', 'Sofia', 'points', null, 3.5, 'suppressed', null, 'no data', 'stale', '', 3)
        ) as nodes (node_type, node_id, parent_id, name, owner, unit, value, target, no_data_reason, score, band,
            dq_state, dq_reason, behind)""",
    ),
}


@dataclass
class Installation:
    """One home with settings, and nights written into its warehouse on demand."""

    home: Home
    settings: Settings
    extra_columns: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    without: set[str] = field(default_factory=set)
    seed: str = "seed-1"

    def clock(self, day: date) -> Clock:
        company = self.settings.company
        return Clock(day, company.zone, company.publication_hour)

    def transform(
        self, day: date = FIRST_NIGHT, factor: float = 1, edit: str | None = None
    ) -> Clock:
        """Write the night's marts, batches, manifest and run results; `edit` is SQL run afterwards."""
        self.home.warehouse.parent.mkdir(parents=True, exist_ok=True)
        self.home.dbt_target.mkdir(parents=True, exist_ok=True)
        nodes = {}
        with duckdb.connect(str(self.home.warehouse)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            for schema in ("marts", "ops"):
                connection.execute(f"create schema if not exists {schema}")
            for name, (key, declared, source) in MARTS.items():
                if name in self.without:
                    continue
                columns = {**declared, **self.extra_columns.get(name, {})}
                select = ", ".join(
                    f"({sql})::{kind} as {column}" for column, (kind, sql) in columns.items()
                )
                statement = (
                    f"create or replace table marts.fct_{name} as select {select} from {source}"
                )
                connection.execute(statement.format(as_of=f"date '{day}'", factor=factor))
                nodes[f"model.boscard.fct_{name}"] = _node(name, key, columns)
            connection.execute(LOADED_BATCHES)
            connection.execute(
                "insert into ops.loaded_batches values (?, 'google_ads', '1', 'campaign_daily', ?, ?, ?, ?, "
                "'passed', 10, 10, 0, 0, 0)",
                [f"{day}", day, day, day, int(f"{day:%Y%m%d}")],
            )
            if edit:
                connection.execute(edit)
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


def _node(name: str, key: list[str], columns: dict[str, tuple[str, str]]) -> dict[str, object]:
    return {
        "resource_type": "model",
        "name": f"fct_{name}",
        "alias": f"fct_{name}",
        "schema": "marts",
        "description": f"The mart {name}, one row a\n  {', '.join(key)}.",
        "checksum": {"checksum": "model-1"},
        "config": {"meta": {"publish_as": name, "key": key}},
        "columns": {
            column: {
                "name": column,
                "data_type": kind,
                "description": f"What {column} says; it's told.",
            }
            for column, (kind, _) in columns.items()
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
        "source": "google_ads", "account": "1", "name": "DE", "connection": "google_ads",
        "time_zone": "Europe/Berlin",
    }  # fmt: skip
    return Settings.model_validate(
        {"company": company, "accounts": [account], "publication": {"keep": 2}}
    )


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """One running server for a test module's homes; each home gets a fresh database in it."""
    server = Embedded(tmp_path_factory.mktemp("a server") / "postgres")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def installation(tmp_path: Path, settings: Settings) -> Installation:
    return Installation(Home(tmp_path / "home"), settings)
