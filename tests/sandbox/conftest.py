"""A snapshot small enough to read, and a caller that speaks to the vendors without a network."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from boscard.clock import Clock
from sandbox.connections import connections
from sandbox.exchange import Asked
from sandbox.limits import Limits
from sandbox.server import Sandbox
from sandbox.snapshot import COLUMNS, Snapshot

NIGHT = date(2026, 11, 4)
MANAGER, DE, US, CLOSED = "4185550100", "4185550101", "4185550102", "4185550109"
HOSTILE = 'Brand <script>alert(1)</script>, "quoted" 100%s 🏔️'


def at(text):
    return pd.Timestamp(text, tz="UTC") if text else pd.NaT


def frame(name, rows):
    found = pd.DataFrame(rows, columns=list(COLUMNS[name]))
    for column in found.columns:
        if column.endswith("_at") or column == "at":
            found[column] = pd.to_datetime(found[column], utc=True, format="ISO8601").astype(
                "datetime64[us, UTC]"
            )
        if column in ("date", "start_date"):
            found[column] = pd.to_datetime(found[column]).astype("datetime64[s]")
        if column in ("conversions", "conversions_value"):
            found[column] = found[column].astype("float64")
        if column == "score":
            found[column] = found[column].astype("Int64")
    return found


def tiny_frames():
    days = ("2026-11-02", "2026-11-03", "2026-11-04")
    ad_daily = [
        (DE, "11", "111", ad, day, 100 * n, 10 * n, 1_500_000 * n, 0.25 * n, 12.5 * n)
        for day in days
        for n, ad in enumerate(("1111", "1112"), start=1)
    ]
    ad_daily.append((US, "21", "211", "2111", "2026-11-04", 50, 5, 900_000, 0.0, 0.0))
    group_daily = [(DE, "11", "111", day, 300, 30, 4_500_000, 0.75, 37.5) for day in days] + [
        (US, "21", "211", "2026-11-04", 50, 5, 900_000, 0.0, 0.0)
    ]
    campaign_daily = [(DE, "11", day, 300, 30, 4_500_000, 0.75, 37.5) for day in days] + [
        (DE, "12", "2026-11-04", 70, 7, 700_000, 1.0, 99.99),
        (DE, "13", "2026-11-03", 0, 0, 0, 1.5, 10.0),
        (DE, "14", "2026-11-02", 5, 1, 10_000, 0.0, 0.0),
        (US, "21", "2026-11-04", 50, 5, 900_000, 0.0, 0.0),
    ]
    contact = ("2026-10-01T08:00:00", "2026-11-03T10:00:00.250", None)
    contacts = [
        (
            *(str(number), *contact, f"p{number}@example.com", "Pat", None, "lead"),
            *("2026-10-01T08:00:00", None, None, None, None, None),
            *("PAID_SEARCH", None, "google", None, None, None, None),
        )
        for number in range(101, 106)
    ]
    archived = list(contacts[0])
    archived[0], archived[3] = "106", "2026-11-04T09:30:00"
    gone = list(contacts[0])
    gone[0], gone[-1] = "107", "2026-11-03T12:00:00"
    winner = list(contacts[1])
    winner[2], winner[7] = "2026-11-04T12:00:00", "salesqualifiedlead"
    winner[9], winner[10] = "2026-10-05T08:00:00", "2026-10-09T08:00:00"
    winner[-2] = "106"
    contacts[1] = tuple(winner)
    deals = [
        (
            "77",
            "2026-10-10T08:00:00",
            "2026-11-01T08:00:00",
            None,
            "First",
            "default",
            "closedwon",
            "1500.50",
            "EUR",
            "2026-11-01T08:00:00",
            "newbusiness",
            "41629779",
        ),
        (
            "80",
            "2026-10-11T08:00:00",
            "2026-10-11T08:00:00",
            None,
            "Second",
            "default",
            "qualifiedtobuy",
            None,
            "USD",
            "2026-12-01T08:00:00",
            "newbusiness",
            None,
        ),
        (
            "79",
            "2026-10-12T08:00:00",
            "2026-11-02T08:00:00",
            "2026-11-02T08:00:00",
            "Gone",
            "default",
            "closedlost",
            "10.00",
            "EUR",
            None,
            "newbusiness",
            None,
        ),
    ]
    responses = [
        (
            *("NpsCust1", f"{number:032x}", "completed"),
            *(f"2026-11-03T{number // 4:02d}:{number % 4 * 10:02d}:00",) * 2,
            *(
                None if number % 3 else "101",
                number % 11,
                None,
                None,
                f"2026-11-03T{number // 4:02d}:59:00",
            ),
        )
        for number in range(30)
    ]
    responses += [
        (
            "NpsCust1",
            f"{900:032x}",
            "partial",
            "2026-11-03T05:00:00",
            None,
            "102",
            None,
            None,
            None,
            "2026-11-03T05:30:00",
        ),
        (
            "NpsCust1",
            f"{901:032x}",
            "started",
            "2026-11-04T05:00:00",
            None,
            None,
            None,
            None,
            None,
            "2026-11-04T05:30:00",
        ),
        (
            "CsatSup1",
            f"{902:032x}",
            "completed",
            "2026-11-04T05:00:00",
            "2026-11-04T05:02:00",
            "102",
            4,
            'Nice "tour"\n🏔️',
            "Price",
            "2026-11-04T05:20:00",
        ),
        (
            "PulseTm1",
            f"{903:032x}",
            "completed",
            "2026-10-06T05:00:00",
            "2026-10-06T05:02:00",
            None,
            0,
            None,
            None,
            "2026-10-06T05:20:00",
        ),
    ]
    rows = {
        "ad_accounts": [
            (MANAGER, "Northwind Trails", "EUR", "Europe/Berlin", "ENABLED", True, 0),
            (DE, "Northwind Trails DE", "EUR", "Europe/Berlin", "ENABLED", False, 1),
            (US, "Northwind Trails US", "USD", "America/New_York", "ENABLED", False, 1),
            (CLOSED, "Northwind Trails UK", "GBP", "Europe/London", "CANCELED", False, 1),
        ],
        "campaigns": [
            (DE, "11", HOSTILE, "ENABLED", "SEARCH", "2025-10-01", True),
            (DE, "12", "Everything", "ENABLED", "PERFORMANCE_MAX", "2026-01-01", True),
            (DE, "13", "Old", "REMOVED", "DISPLAY", "2025-10-01", True),
            (DE, "14", "Deleted for good", "REMOVED", "VIDEO", "2025-10-01", False),
            (US, "21", "Trails", "PAUSED", "VIDEO", "2025-10-01", True),
        ],
        "ad_groups": [(DE, "11", "111", "Group", "ENABLED"), (US, "21", "211", "Group", "ENABLED")],
        "ads": [
            (DE, "11", "111", "1111", "ENABLED", "RESPONSIVE_SEARCH_AD"),
            (DE, "11", "111", "1112", "PAUSED", "RESPONSIVE_SEARCH_AD"),
            (US, "21", "211", "2111", "ENABLED", "VIDEO_AD"),
        ],
        "campaign_daily": campaign_daily,
        "ad_group_daily": group_daily,
        "ad_daily": ad_daily,
        "owners": [
            (
                "41629779",
                "lee@example.com",
                "Lee",
                "Ng",
                "9586504",
                False,
                "2025-10-01",
                "2025-10-01",
                "Sales",
            ),
            (
                "41629780",
                "sam@example.com",
                "Sam",
                "Oak",
                "9586505",
                True,
                "2025-10-01",
                "2026-01-01",
                None,
            ),
        ],
        "contacts": [*contacts, tuple(archived), tuple(gone)],
        "companies": [
            (
                str(number),
                "2026-10-01",
                f"2026-10-0{number - 900}",
                None,
                f"Company {number}",
                "c.example",
                "DE",
                None,
            )
            for number in (902, 901)
        ],
        "deals": deals,
        "deal_stage_history": [
            ("77", "closedwon", "2026-11-01T08:00:00"),
            ("77", "qualifiedtobuy", "2026-10-12T08:00:00"),
            ("77", "appointmentscheduled", "2026-10-10T08:00:00"),
            ("80", "qualifiedtobuy", "2026-10-11T08:00:00"),
        ],
        "deal_contacts": [("77", "104"), ("77", "101"), ("77", "106"), ("79", "102")],
        "deal_companies": [("77", "901")],
        "forms": [
            ("NpsCust1", "Recommend us?", "nps"),
            ("CsatSup1", "How was support?", "csat"),
            ("PulseTm1", "Team pulse", "pulse"),
        ],
        "responses": responses,
    }
    return {name: frame(name, content) for name, content in rows.items()}


class FixedCompany:
    """A company whose snapshot only changes its instant."""

    def __init__(self, frames):
        self.frames = frames

    def at(self, now):
        zone = ZoneInfo("Europe/Berlin")
        return Snapshot(now=now, start=date(2025, 10, 1), time_zone=zone, **self.frames)


class Caller:
    """Calls the vendors of one sandbox; replies are (status, decoded body, headers)."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.connections = connections("http://sandbox.example")
        self.tokens = {}

    def send(self, vendor, method, path, *, query=None, body=None, headers=None, raw=False):
        content = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        asked = Asked(
            method, path, query or {}, headers or {}, content, f"http://sandbox.example/{vendor}"
        )
        delivery = self.sandbox.deliver(vendor, asked)
        if raw:
            return delivery
        return delivery.reply.status, json.loads(delivery.reply.body), dict(delivery.reply.headers)

    def refresh(self, vendor, path=None, **changes):
        connection = self.connections[vendor]
        form = {
            "grant_type": "refresh_token",
            "client_id": connection["login"],
            "client_secret": connection["password"],
            "refresh_token": connection["extra"]["refresh_token"],
            **changes,
        }
        path = path or connection["extra"]["token_url"].removeprefix(
            f"http://sandbox.example/{vendor}"
        )
        return self.send(vendor, "POST", path, body=urlencode(form).encode())

    def bearer(self, vendor):
        if vendor not in self.tokens:
            self.tokens[vendor] = self.refresh(vendor)[1]["access_token"]
        return {"authorization": f"Bearer {self.tokens[vendor]}"}

    def get(self, vendor, path, **query):
        texts = {name: str(value) for name, value in query.items()}
        return self.send(vendor, "GET", path, query=texts, headers=self.bearer(vendor))

    def post(self, vendor, path, body):
        return self.send(vendor, "POST", path, body=body, headers=self.bearer(vendor))

    def report(self, query, account=DE, *, verb="search", login=MANAGER, version="v26", **body):
        headers = self.bearer("google_ads") | ({"login-customer-id": login} if login else {})
        path = f"/{version}/customers/{account}/googleAds:{verb}"
        return self.send("google_ads", "POST", path, body={"query": query, **body}, headers=headers)


class Hands:
    """A monotonic clock moved by hand."""

    def __init__(self):
        self.seconds = 1_000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def night():
    return Clock(NIGHT, ZoneInfo("Europe/Berlin"), 7)


@pytest.fixture
def frames():
    return tiny_frames()


@pytest.fixture
def hands():
    return Hands()


@pytest.fixture
def call(frames, night, hands):
    """Makes callers: `call(faults=[…], google_ads_page_rows=2, …)`; without limits unless given."""

    def make(faults=(), **limits):
        chosen = replace(Limits.none(), **limits)
        sandbox = Sandbox(
            FixedCompany(frames), night, limits=chosen, faults=faults, monotonic=hands
        )
        return Caller(sandbox)

    return make


@pytest.fixture
def vendors(call):
    return call()


@pytest.fixture
def now(night):
    assert night.now == datetime(2026, 11, 5, 6, tzinfo=UTC)
    return night.now
