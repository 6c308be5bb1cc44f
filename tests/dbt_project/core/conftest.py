"""A company of a few hand-written rows, loaded and built once for all tests of the core models."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import duckdb
import pytest

from boscard.home import Home
from boscard.settings import Settings
from ingest.landing import Landing
from tests.warehouse.landed import KEY, a_clock, ad_day, land
from warehouse.load import load
from warehouse.transform import DBT_PROJECT, variables

NIGHT = date(2026, 3, 20)
START = date(2026, 3, 1)
CORE = ("+path:models/marts/core", "path:models/intermediate/crm", "path:models/staging")


def day(number: int) -> date:
    return date(2026, 3, number)


@pytest.fixture(scope="session")
def settings() -> Settings:
    berlin = {"time_zone": "Europe/Berlin", "currency": "EUR"}
    new_york = {"time_zone": "America/New_York", "currency": "USD"}
    return Settings.model_validate(
        {
            "company": {
                "name": "Test & Co",
                "reporting_currency": "EUR",
                "time_zone": "Europe/Berlin",
                "history_start": START,
                "publication_hour": 7,
            },
            "accounts": [
                {"source": "google_ads", "account": "1", "name": "DE", "connection": "google_ads"}
                | berlin,
                {"source": "google_ads", "account": "2", "name": "US", "connection": "google_ads"}
                | new_york,
                {"source": "hubspot", "account": "3", "name": "CRM", "connection": "hubspot"}
                | berlin,
                {"source": "typeform", "account": "4", "name": "Forms", "connection": "typeform"}
                | berlin,
            ],
        }
    )


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Home:
    """The installation after the night, with the outcome of each node in `results.json`."""
    home = Home(tmp_path_factory.mktemp("core") / "var")
    land_company(Landing(home.landing))
    load(home, settings, a_clock(NIGHT, settings), KEY)
    build(home, settings)
    return home


@pytest.fixture
def query(home: Home) -> Callable[[str], list[tuple[Any, ...]]]:
    def query(sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(home.warehouse), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    return query


def build(home: Home, settings: Settings) -> None:
    """Seeds, core models, their data tests and their unit tests, in one call of dbt."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOSCARD_WAREHOUSE", str(home.warehouse))
        outcome = dbtRunner().invoke(
            [
                "--log-level=none",
                f"--log-path={home.logs}",
                "build",
                f"--project-dir={DBT_PROJECT}",
                f"--profiles-dir={DBT_PROJECT}",
                f"--target-path={home.dbt_target}",
                "--no-version-check",
                f"--vars={json.dumps(variables(settings, a_clock(NIGHT, settings)))}",
                "--select",
                *CORE,
            ]
        )
        DuckDBConnectionManager.close_all_connections()
    if outcome.exception is not None:
        raise outcome.exception


@pytest.fixture(scope="session")
def outcomes(home: Home) -> dict[str, tuple[str, str]]:
    """Each node's last name to its kind and status."""
    results = json.loads((home.dbt_target / "run_results.json").read_text())["results"]
    return {
        ".".join(one["unique_id"].split(".")[2:]): (one["unique_id"].split(".")[0], one["status"])
        for one in results
    }


def land_company(landing: Landing) -> None:
    night = {"as_of": NIGHT}
    days = night | {"window": (START, NIGHT)}

    def ad(account: str, **row: Any) -> dict[str, Any]:
        currency = "EUR" if account == "1" else "USD"
        return ad_day(**row, account=account) | {"currency_code": currency}

    land(
        *(landing, "google_ads", "1", "campaign_daily"),
        [
            ad(
                "1", day=day(2), campaign="11", clicks=3, cost_micros=1_234_567, conversions="2.345"
            ),
            ad("1", day=day(3), campaign="11", conversions="0.5", conversions_value="99.99"),
            ad("1", day=day(3), campaign="12", clicks=8),
        ],
        **days,
    )
    land(
        *(landing, "google_ads", "2", "campaign_daily"),
        [
            ad("2", day=day(2), campaign="21", cost_micros=10_000_000, conversions_value=10),
            ad("2", day=NIGHT, campaign="21", cost_micros=20_000_000, conversions_value=20),
        ],
        **days,
    )
    campaign = {"account_id": "1", "channel_type": "SEARCH", "campaign_name": "<script>"}
    land(*(landing, "google_ads", "1", "campaigns"), [campaign | {"campaign_id": "11"}], **night)
    land(*(landing, "hubspot", "3", "contacts"), CONTACTS, **days)
    companies = [{"company_id": "70", "is_archived": False, "name": "Acme"}]
    land(*(landing, "hubspot", "3", "companies"), companies, **days)
    land(*(landing, "hubspot", "3", "deals"), DEALS, **days)
    pipeline = {"pipeline_id": "default", "stages": STAGES}
    land(*(landing, "hubspot", "3", "pipelines"), [pipeline], **night)
    for stream, objects in (("deal_contacts", [1003, 1001]), ("deal_companies", [70])):
        to = [{"toObjectId": one} for one in objects]
        rows = [{"deal_id": "500", "associated": to}, {"deal_id": "501", "associated": to}]
        land(*(landing, "hubspot", "3", stream), rows, **night)
    land(*(landing, "typeform", "4", "responses"), RESPONSES, **days)
    partial = {"form_id": "NpsCust1", "response_type": "partial"}
    partial |= {"response_token": "begun", "landed_at": "2026-03-05T10:00:00Z"}
    land(*(landing, "typeform", "4", "partial_responses"), [partial], **night)


def _contact(contact_id: str, created_at: str, **more: Any) -> dict[str, Any]:
    person = {"email": "ann@example.com", "first_name": "Ann", "last_name": "Lovelace"}
    return person | {
        "contact_id": contact_id,
        "created_at": created_at,
        "updated_at": created_at,
        "is_archived": False,
        **more,
    }


CONTACTS = [
    _contact("1000", "2026-03-02T10:00:00Z", is_archived=True, analytics_source="OFFLINE"),
    _contact("1001", "2026-03-02T23:30:00Z", utm_campaign="11", analytics_source="PAID_SEARCH"),
    _contact("1003", "2026-03-04T10:00:00Z", analytics_source="REFERRALS"),
    _contact("1004", "2026-03-20T23:30:00Z", analytics_source="REFERRALS"),
]
STAGES = [
    {"id": "new", "displayOrder": 0, "metadata": {"isClosed": "false", "probability": "0.2"}},
    {"id": "won", "displayOrder": 1, "metadata": {"isClosed": "true", "probability": "1.0"}},
]
_HISTORY = [
    {"value": "won", "timestamp": "2026-03-15T09:00:00.000Z"},
    {"value": "new", "timestamp": "2026-03-03T09:00:00.000Z"},
]
_DEAL = {
    "stage_id": "won",
    "pipeline_id": "default",
    "is_archived": False,
    "deal_name": "Ann Lovelace, bicycles",
    "created_date": "2026-03-03T09:00:00Z",
    "close_date": "2026-03-15T09:00:00Z",
    "stage_history": _HISTORY,
}
DEALS = [
    _DEAL | {"deal_id": "500", "amount": "100.10", "currency_code": "EUR"},
    _DEAL | {"deal_id": "501", "amount": "7", "currency_code": "EUR", "is_archived": True},
    _DEAL | {"deal_id": "502", "amount": "50", "currency_code": "GBP"},
]
RESPONSES = [
    {
        "form_id": form,
        "response_token": f"{form}-{score}",
        "landed_at": "2026-03-05T10:00:00Z",
        "submitted_at": "2026-03-05T10:05:00Z",
        "answers": [{"field": {"id": question}, "type": "number", "number": score}],
    }
    for form, question, scores in (
        ("NpsCust1", "npsScore0001", (0, 6, 7, 8, 9, 10)),
        ("CsatSup1", "csatScore001", (3, 4, 5)),
        ("PulseTm1", "pulseScore01", (2, 9)),
    )
    for score in scores
]
