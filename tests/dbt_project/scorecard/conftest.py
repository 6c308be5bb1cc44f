"""A small company over two nights: on the second one ad account is down, deals are held back, and a
survey response is set aside; two leads of the 19th come late. Built once for all tests of the
scorecard.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from boscard.home import Home
from boscard.settings import Settings
from expectations.verdict import Result
from ingest.landing import Landing
from tests.warehouse.landed import KEY, a_clock, ad_day, land
from warehouse.load import load
from warehouse.transform import DBT_PROJECT, variables

START = date(2026, 1, 1)
NIGHTS = (date(2026, 3, 20), date(2026, 3, 21))
MODELS = ("path:models/marts/scorecard", "path:models/marts/quality")
MINE = (
    *MODELS,
    "path:models/intermediate/scorecard",
    "path:models/intermediate/past",
    "path:tests/definitions",
    "path:tests/scorecard",
)

Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def settings() -> Settings:
    def account(source: str, number: str, name: str, currency: str = "EUR") -> dict[str, str]:
        place = {"time_zone": "Europe/Berlin", "connection": source}
        return {"source": source, "account": number, "name": name, "currency": currency} | place

    return Settings.model_validate(
        {
            "company": {
                "name": "O'Hara & Co",
                "reporting_currency": "EUR",
                "time_zone": "Europe/Berlin",
                "history_start": START,
                "publication_hour": 7,
            },
            "accounts": [
                account("google_ads", "1", "Germany"),
                account("google_ads", "2", "America", "USD"),
                account("hubspot", "3", "The CRM"),
                account("typeform", "4", "The surveys"),
            ],
        }
    )


def dbt(
    home: Home, settings: Settings, night: date, *arguments: str, project: Path = DBT_PROJECT
) -> dict[str, str]:
    """One call of dbt; each node's last name to its status. `home` is left closed."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    flags = ["--log-level=none", f"--log-path={home.logs}"]
    paths = [
        f"--project-dir={project}",
        f"--profiles-dir={project}",
        f"--target-path={home.dbt_target}",
    ]
    told = f"--vars={json.dumps(variables(settings, a_clock(night, settings)))}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOSCARD_WAREHOUSE", str(home.warehouse))
        outcome = dbtRunner().invoke(
            [*flags, arguments[0], *paths, "--no-version-check", told, *arguments[1:]]
        )
        DuckDBConnectionManager.close_all_connections()
    if outcome.exception is not None:
        raise outcome.exception
    return {one.node.name: str(one.status) for one in outcome.result.results}


@dataclass(frozen=True)
class Built:
    """After the second night, with the outcome of all tests and the first night's values."""

    home: Home
    outcomes: dict[str, str]
    first_values: list[tuple[Any, ...]]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Built:
    home = Home(tmp_path_factory.mktemp("scorecard") / "var")
    landing = Landing(home.landing)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        land_first_night(landing)
        load(home, settings, a_clock(NIGHTS[0], settings), KEY)
        models = ("--select", *(f"+{path}" for path in MODELS), "--exclude-resource-types")
        build = ("build", *models, "unit_test", "test", "exposure")
        statuses = dbt(home, settings, NIGHTS[0], *build)
        assert set(statuses.values()) == {"success"}, statuses
        outcomes = dbt(home, settings, NIGHTS[0], "test", "--select", *MINE)
        first = _read(home, "from marts.fct_kpi_values order by all")
        land_second_night(landing)
        load(home, settings, a_clock(NIGHTS[1], settings), KEY)
        statuses = dbt(home, settings, NIGHTS[1], *build)
        assert set(statuses.values()) == {"success"}, statuses
    return Built(home, outcomes, first)


@pytest.fixture
def query(built: Built) -> Query:
    return lambda sql, *values: _read(built.home, sql, values)


def _read(home: Home, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(sql, list(values)).fetchall()


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def land_ads(landing: Landing, night: date, account: str, first: date) -> None:
    measures = {"impressions": 1000, "clicks": 10, "cost_micros": 10_000_000, "conversions": "0.5"}
    campaigns = {"1": "11", "2": "21"}
    rows = [
        ad_day(day, campaigns[account], account, **measures, conversions_value="30")
        | {"currency_code": "EUR" if account == "1" else "USD"}
        for day in days(first, night)
    ]
    window = (first, night)
    land(landing, "google_ads", account, "campaign_daily", rows, as_of=night, window=window)


def land_lists(landing: Landing, night: date) -> None:
    stages = [
        {"id": name, "displayOrder": order, "metadata": {"isClosed": closed, "probability": chance}}
        for order, (name, closed, chance) in enumerate(
            [
                ("new", "false", "0.2"),
                ("talks", "false", "0.5"),
                ("won", "true", "1.0"),
                ("lost", "true", "0.0"),
            ]
        )
    ]
    pipelines = [{"pipeline_id": "default", "stages": stages}]
    land(landing, "hubspot", "3", "pipelines", pipelines, as_of=night)
    for stream in ("deal_contacts", "deal_companies"):
        land(landing, "hubspot", "3", stream, [], as_of=night)
    land(landing, "typeform", "4", "partial_responses", [], as_of=night)


def deal(number: int, created: date, closed: date, stage: str = "won") -> dict[str, Any]:
    at = f"{closed}T09:00:00.000Z"
    return {
        "deal_id": str(number),
        "created_at": f"{created}T09:00:00Z",
        "updated_at": at,
        "is_archived": False,
        "pipeline_id": "default",
        "stage_id": stage,
        "amount": "1000",
        "currency_code": "EUR",
        "created_date": f"{created}T09:00:00Z",
        "close_date": at,
        "stage_history": [
            {"value": stage, "timestamp": at},
            {"value": "talks", "timestamp": f"{created}T09:00:01.000Z"},
        ],
    }


def lead(number: int, day: date) -> dict[str, Any]:
    return {
        "contact_id": str(number),
        "created_at": f"{day}T10:00:00Z",
        "updated_at": f"{day}T10:00:00Z",
        "is_archived": False,
        "analytics_source": "PAID_SEARCH",
        "utm_campaign": "11",
    }


def answer(day: date, token: str, form: str, question: str, score: int) -> dict[str, Any]:
    return {
        "form_id": form,
        "response_token": token,
        "landed_at": f"{day}T10:00:00Z",
        "submitted_at": f"{day}T10:05:00Z",
        "answers": [{"field": {"id": question}, "type": "number", "number": score}],
    }


def land_first_night(landing: Landing) -> None:
    night = NIGHTS[0]
    windowed = {"as_of": night, "window": (START, night)}
    for account in ("1", "2"):
        land_ads(landing, night, account, START)
    contacts = [lead(number, day) for number, day in enumerate(days(START, night), start=1000)]
    land(landing, "hubspot", "3", "contacts", contacts, **windowed)
    deals = [
        deal(number, day, day + timedelta(days=4))
        for number, day in enumerate(days(START, date(2026, 3, 10)))
    ]
    land(landing, "hubspot", "3", "deals", deals, **windowed)
    answers = [
        answer(day, f"nps-{day}", "NpsCust1", "npsScore0001", 9 if day.day % 2 else 3)
        for day in days(START, night)
    ]
    pulse = [
        answer(date(2026, 1, 8), f"pulse-{one}", "PulseTm1", "pulseScore01", 9) for one in range(4)
    ]
    land(landing, "typeform", "4", "responses", [*answers, *pulse], **windowed)
    land_lists(landing, night)


def land_second_night(landing: Landing) -> None:
    night = NIGHTS[1]
    recent = {"as_of": night, "window": (date(2026, 3, 18), night)}
    land_ads(landing, night, "1", date(2026, 2, 19))
    late_leads = [lead(number, date(2026, 3, 19)) for number in (2000, 2001)]
    land(landing, "hubspot", "3", "contacts", late_leads, **recent)
    late = [deal(900, date(2026, 3, 1), date(2026, 3, 21))]
    failed = Result(
        check_id="hubspot.deals.enough_rows",
        rule="enough_rows",
        severity="critical",
        action="hold",
        state="fail",
        observed="1 row",
        expected="about 40 rows",
        n_failed=1,
        n_total=1,
        sample=(),
        sentence="Far fewer deals than usual.",
    )
    land(landing, "hubspot", "3", "deals", late, **recent, state="held", results=[failed])
    wrong = answer(date(2026, 3, 19), "wrong", "NpsCust1", "npsScore0001", 14)
    right = answer(date(2026, 3, 21), "right", "NpsCust1", "npsScore0001", 10)
    land(landing, "typeform", "4", "responses", [right], **recent, quarantined=[wrong])
    land_lists(landing, night)
