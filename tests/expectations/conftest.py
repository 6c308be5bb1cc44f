"""Landed batches for the gate's tests: rows as a vendor sends them, written by the real landing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from boscard.settings import Settings
from expectations import typed
from expectations.examiner import Examiner
from expectations.gate import gate
from expectations.lines import survey
from expectations.suites import SUITES
from expectations.verdict import Verdict
from ingest.batch import ROWS, Batch, Unit, Window
from ingest.exchange import Page
from ingest.landing import Landing
from ingest.registry import SOURCES
from ingest.stream import Stream

NIGHT = date(2026, 3, 10)
SETTINGS = Settings.model_validate(
    {
        "company": {
            "name": "Northwind Trails",
            "reporting_currency": "EUR",
            "time_zone": "Europe/Berlin",
            "history_start": "2026-03-01",
            "publication_hour": 7,
        },
        "accounts": [
            {
                "source": "google_ads",
                "account": "101",
                "name": "Northwind Trails DE",
                "connection": "google_ads",
                "time_zone": "Europe/Berlin",
                "currency": "EUR",
            },
            {
                "source": "hubspot",
                "account": "crm",
                "name": "Northwind Trails CRM",
                "connection": "hubspot",
                "time_zone": "Europe/Berlin",
                "currency": "EUR",
            },
            {
                "source": "typeform",
                "account": "northwind",
                "name": "Northwind Trails surveys",
                "connection": "typeform",
                "time_zone": "Europe/Berlin",
            },
        ],
    }
)
ACCOUNTS = {"google_ads": "101", "hubspot": "crm", "typeform": "northwind"}

Row = dict[str, Any] | bytes


@dataclass
class Gatehouse:
    """A landing and an examiner; `land` writes a batch, `gate` gates it, `verdict` does both."""

    landing: Landing
    examiner: Examiner
    settings: Settings = SETTINGS
    night: date = NIGHT

    def land(
        self,
        source: str,
        stream: str,
        rows: Iterable[Row],
        *,
        night: date = NIGHT,
        window: tuple[date, date] | None = None,
        account: str | None = None,
        contexts: Iterable[tuple[int, dict[str, str]]] | None = None,
        told: int | None = None,
    ) -> Batch:
        """Land rows as one batch. `contexts`: how many rows each call brought, and its context;
        `told`: how many the vendor says there are."""
        lines = [row if isinstance(row, bytes) else to_line(row) for row in rows]
        pages = []
        if window is None and SOURCES[source].streams[stream].is_windowed:
            window = (night, night)
        for count, context in contexts or [(len(lines), {"form_id": "form1"})]:
            part, lines = lines[:count], lines[count:]
            pages.append(_page(part, context))
        assert not lines
        if told is not None:
            pages = [replace(page, told=0 if number else told) for number, page in enumerate(pages)]
        unit = Unit(
            source, account or ACCOUNTS[source], stream, Window(*window) if window else None
        )
        return self.landing.write(unit, night, pages)

    def clean(
        self, source: str, stream: str, count: int, days: Iterable[date] = (NIGHT,)
    ) -> list[dict[str, Any]]:
        """Sound rows: `count` a day."""
        return [
            clean_row(source, stream, number, day) for day in days for number in range(1, count + 1)
        ]

    def gate(self, batch: Batch, *, again: bool = False) -> Verdict:
        return gate(
            batch, landing=self.landing, settings=self.settings, again=again, examiner=self.examiner
        )

    def verdict(self, *args: Any, **named: Any) -> Verdict:
        return self.gate(self.land(*args, **named))


def clean_row(source: str, stream: str, number: int, day: date = NIGHT) -> dict[str, Any]:
    """The sound row `number` of a stream, as the vendor writes it."""
    account = {"id": "101", "currencyCode": "EUR", "timeZone": "Europe/Berlin"}
    campaign = {
        "id": str(number),
        "name": f"Brand {number}",
        "status": "ENABLED",
        "advertisingChannelType": "SEARCH",
        "startDate": "2026-01-01",
    }
    ad_group = {"id": str(number), "name": f"Group {number}", "status": "ENABLED"}
    ad = {"status": "ENABLED", "ad": {"id": str(number), "type": "TEXT_AD"}}
    daily = {
        "segments": {"date": day.isoformat()},
        "metrics": {
            "impressions": "1210",
            "clicks": "42",
            "costMicros": "18340000",
            "conversions": 3.5,
            "conversionsValue": 412.25,
        },
    }
    record = {
        "id": str(number),
        "createdAt": "2026-01-01T09:12:33.120Z",
        "updatedAt": f"{day}T04:00:01.002Z",
        "archived": False,
    }
    match f"{source}.{stream}":
        case "google_ads.customers":
            client = {**account, "id": str(100 + number), "descriptiveName": "Northwind"}
            client |= {"status": "ENABLED", "manager": False, "level": "1"}
            return {"customerClient": client}
        case "google_ads.campaigns":
            return {"customer": account, "campaign": campaign}
        case "google_ads.ad_groups":
            return {"customer": account, "campaign": campaign, "adGroup": ad_group}
        case "google_ads.ads":
            return {
                "customer": account,
                "campaign": campaign,
                "adGroup": ad_group,
                "adGroupAd": ad,
            }
        case "google_ads.campaign_daily":
            return {"customer": account, "campaign": campaign, **daily}
        case "google_ads.ad_group_daily":
            return {"customer": account, "campaign": campaign, "adGroup": ad_group, **daily}
        case "google_ads.ad_daily":
            return {
                "customer": account,
                "campaign": campaign,
                "adGroup": ad_group,
                "adGroupAd": ad,
                **daily,
            }
        case "hubspot.contacts":
            properties = {
                "email": f"a.lee{number}@example.com",
                "firstname": "A",
                "lastname": "Lee",
                "lifecyclestage": "customer",
                "hs_lifecyclestage_lead_date": "2026-01-01T09:12:33.120Z",
                "hs_lifecyclestage_marketingqualifiedlead_date": "2026-01-05",
                "hs_lifecyclestage_salesqualifiedlead_date": "",
                "hs_analytics_source": "PAID_SEARCH",
                "utm_campaign": "1",
                "hubspot_owner_id": None,
            }
            return {**record, "properties": properties}
        case "hubspot.companies":
            properties = {"name": "Acme", "domain": "acme.example", "country": "", "x": None}
            return {**record, "properties": properties}
        case "hubspot.deals":
            properties = {
                "dealname": f"Deal {number}",
                "pipeline": "default",
                "dealstage": "closedwon",
                "amount": "1500.50",
                "deal_currency_code": "EUR",
                "createdate": "2026-01-01T09:12:33.120Z",
                "closedate": "2026-02-01T00:00:00Z",
                "dealtype": "newbusiness",
                "hubspot_owner_id": "7",
            }
            stages = [{"value": "closedwon", "timestamp": "2026-02-01T00:00:00Z"}]
            history = {"dealstage": stages}
            return {**record, "properties": properties, "propertiesWithHistory": history}
        case "hubspot.owners":
            return {"id": str(number), "email": "o@example.com", "archived": False}
        case "hubspot.pipelines":
            return {"id": f"p{number}", "label": "Sales", "stages": [{"id": "closedwon"}]}
        case "hubspot.deal_contacts" | "hubspot.deal_companies":
            return {"from": {"id": str(number)}, "to": [{"toObjectId": 512}]}
        case "hubspot.contact_ids" | "hubspot.company_ids" | "hubspot.deal_ids":
            return {**record, "properties": {"hs_object_id": str(number)}}
        case "typeform.forms":
            fields = [
                {"id": "score", "type": "nps"},
                {"id": "stars", "type": "rating", "properties": {"steps": 5}},
            ]
            return {"id": f"form{number}", "title": "NPS", "fields": fields, "hidden": []}
        case "typeform.responses":
            return {
                "token": f"t{number}",
                "response_type": "completed",
                "landed_at": f"{day}T08:16:42Z",
                "submitted_at": f"{day}T08:18:02Z",
                "hidden": {"contact_id": "512"},
                "metadata": {"network_id": "n"},
                "answers": [
                    {"field": {"id": "score", "type": "nps"}, "type": "number", "number": 9}
                ],
            }
        case "typeform.partial_responses":
            return {
                "token": f"t{number}",
                "response_type": "partial",
                "landed_at": f"{day}T08:16:42Z",
                "submitted_at": "0001-01-01T00:00:00Z",
                "answers": None,
            }
    raise ValueError(f"no clean row for {source}.{stream}")


def to_line(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _page(rows: list[bytes], context: dict[str, str]) -> Page:
    body = b"\n".join(rows)
    return Page(
        rows=rows,
        method="POST",
        url="https://vendor.test/report",
        status=200,
        bytes=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        attempts=1,
        milliseconds=1,
        context=context,
    )


@pytest.fixture(scope="session")
def examiner(tmp_path_factory: pytest.TempPathFactory) -> Iterable[Examiner]:
    with Examiner(tmp_path_factory.mktemp("spilled")) as examiner:
        yield examiner


@pytest.fixture
def gatehouse(tmp_path: Path, examiner: Examiner) -> Gatehouse:
    return Gatehouse(Landing(tmp_path / "landing"), examiner)


class Stage:
    """Lands rows and stages them, without rules."""

    def __init__(self, gatehouse: Gatehouse) -> None:
        self.gatehouse = gatehouse
        self.stream: Stream

    def run(self, source: str, stream: str, rows: Iterable[Row], **named: Any) -> None:
        batch = self.gatehouse.land(source, stream, rows, **named)
        self.stream = SOURCES[source].streams[stream]
        typed.stage(
            self.gatehouse.examiner.connection,
            batch,
            self.stream,
            lines=survey(batch.path / ROWS, batch.manifest.rows),
            calls=self.gatehouse.landing.read_calls(batch),
            empty_is_null=SUITES[source][stream].empty_is_null,
        )

    def __call__(
        self, source: str, stream: str, rows: Iterable[Row], **named: Any
    ) -> list[dict[str, Any]]:
        self.run(source, stream, rows, **named)
        connection = self.gatehouse.examiner.connection
        found = connection.execute("select * from typed_rows order by _line").to_arrow_table()
        return found.to_pylist()

    def unreadable(self) -> list[tuple[int, str]]:
        connection = self.gatehouse.examiner.connection
        return connection.execute("select _line, why from unreadable order by _line").fetchall()


@pytest.fixture
def stage(gatehouse: Gatehouse) -> Stage:
    return Stage(gatehouse)
