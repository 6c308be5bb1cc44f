"""Google's own protobuf types read what the sandbox serves.

They refuse unknown fields and values that are not of the type. What they write again is compared
with what was read, because they also accept numbers where the vendor writes int64 as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from google.ads.googleads.v26.errors.types.errors import GoogleAdsFailure
from google.ads.googleads.v26.services.types.customer_service import (
    ListAccessibleCustomersResponse,
)
from google.ads.googleads.v26.services.types.google_ads_service import (
    GoogleAdsRow,
    SearchGoogleAdsResponse,
    SearchGoogleAdsStreamResponse,
)
from google.protobuf import json_format
from google.rpc.status_pb2 import Status

STREAMS = (
    "customers", "campaigns", "ad_groups", "ads", "campaign_daily", "ad_group_daily", "ad_daily",
)  # fmt: skip
MORE_METRICS = (
    "SELECT campaign.id, campaign.name, segments.date, metrics.ctr, metrics.average_cpc, "
    "metrics.cost_per_conversion, metrics.all_conversions FROM campaign "
    "WHERE segments.date BETWEEN '2026-11-01' AND '2026-11-04'"
)
NO_ROWS = "SELECT campaign.id FROM campaign WHERE campaign.id = 1"

Send = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def send(offered: Any) -> Send:
    headers = {
        "authorization": f"Bearer {offered.access_token('google_ads')}",
        "login-customer-id": offered.manager,
    }

    def send(
        query: str,
        *,
        account: str = offered.accounts[0],
        verb: str = "search",
        version: str = "v26",
        changed: dict[str, str | None] | None = None,
        **body: Any,
    ) -> requests.Response:
        url = f"{offered.base_url}/google_ads/{version}/customers/{account}/googleAds:{verb}"
        sent = {name: text for name, text in {**headers, **(changed or {})}.items() if text}
        return requests.post(url, json={"query": query, **body}, headers=sent, timeout=30)

    return send


def again(message: Any) -> dict[str, Any]:
    """The message as the vendor writes it."""
    return json_format.MessageToDict(type(message).pb(message))


def pages(send: Send, query: str, account: str) -> list[dict[str, Any]]:
    found, more = [], {}
    while True:
        reply = send(query, account=account, **more)
        assert reply.status_code == 200, reply.text
        message = SearchGoogleAdsResponse.from_json(reply.text)
        assert again(message) == reply.json()
        found.append(reply.json())
        if not message.next_page_token:
            return found
        more = {"pageToken": message.next_page_token}


def test_the_streams_are_all_of_ours(offered: Any) -> None:
    assert tuple(offered.queries) == STREAMS


@pytest.mark.parametrize("stream", STREAMS)
def test_every_page_of_every_query_we_send(offered: Any, send: Send, stream: str) -> None:
    asked = offered.queries[stream]
    accounts = [offered.manager] if asked["scope"] == "connection" else offered.accounts
    for account in accounts:
        found = pages(send, asked["query"], account)
        rows = [row for page in found for row in page["results"]]
        assert rows
        streamed = send(asked["query"], account=account, verb="searchStream")
        chunks = streamed.json()
        for chunk in chunks:
            message = json_format.ParseDict(chunk, SearchGoogleAdsStreamResponse.pb()())
            assert json_format.MessageToDict(message) == chunk
        assert [row for chunk in chunks for row in chunk["results"]] == rows
        assert len(found) > 1 or not stream.endswith("_daily")


@pytest.mark.parametrize("stream", STREAMS)
def test_we_select_only_fields_that_exist(offered: Any, stream: str) -> None:
    selected = offered.queries[stream]["query"].removeprefix("SELECT ").partition(" FROM ")[0]
    for path in selected.split(", "):
        descriptor = GoogleAdsRow.pb().DESCRIPTOR
        for name in path.split("."):
            # A field whose name is a word of Python has an underscore more here than in GAQL.
            fields = {field.name.removesuffix("_"): field for field in descriptor.fields}
            assert name in fields, path
            descriptor = fields[name].message_type
        assert descriptor is None, f"{path} is no leaf"


@pytest.mark.parametrize("query", [MORE_METRICS, NO_ROWS], ids=["ratios", "no rows"])
def test_other_queries(offered: Any, send: Send, query: str) -> None:
    pages(send, query, offered.accounts[0])


def test_the_total_when_asked_for(offered: Any, send: Send) -> None:
    reply = send(offered.queries["ads"]["query"], searchSettings={"returnTotalResultsCount": True})
    assert SearchGoogleAdsResponse.from_json(reply.text).total_results_count > 0


def test_the_accounts_that_can_be_read(offered: Any) -> None:
    url = f"{offered.base_url}/google_ads/v26/customers:listAccessibleCustomers"
    headers = {"authorization": f"Bearer {offered.access_token('google_ads')}"}
    reply = requests.get(url, headers=headers, timeout=30)
    message = ListAccessibleCustomersResponse.from_json(reply.text)
    assert list(message.resource_names) == [f"customers/{offered.manager}"]


REFUSALS = {
    "no login": {"changed": {"login-customer-id": None}},
    "login with dashes": {"changed": {"login-customer-id": "418-555-0100"}},
    "dashes": {"account": "418-555-0101"},
    "unknown account": {"account": "1234567890"},
    "closed account": {"account": "4185550109"},
    "metrics of the manager": {"account": "4185550100"},
    "page size": {"pageSize": 1000},
    "page token": {"pageToken": "CPii5aS87vfFTBAK"},
    "no date range": {"query": "SELECT segments.date FROM campaign"},
    "unknown field": {"query": "SELECT campaign.nme FROM campaign"},
    "unknown resource": {"query": "SELECT campaign.id FROM campain"},
    "no GAQL": {"query": "SELEC campaign.id"},
    "a date that is none": {"query": MORE_METRICS.replace("2026-11-01", "2026-02-30")},
    "no query": {"query": ""},
}


@pytest.mark.parametrize("asked", REFUSALS.values(), ids=REFUSALS)
def test_refusals(send: Send, asked: dict[str, Any]) -> None:
    reply = send(**{"query": MORE_METRICS, **asked})
    assert reply.status_code in (400, 401, 403)
    the_failure(reply)


def test_a_refusal_of_a_stream_stands_in_an_array(send: Send) -> None:
    reply = send("SELECT campaign.nme FROM campaign", verb="searchStream")
    [body] = reply.json()
    status = json_format.ParseDict(_status(body), Status())
    assert status.code == 400


@pytest.mark.parametrize("seconds", [2, 40_591])
def test_throttled(offered: Any, send: Send, seconds: int) -> None:
    with offered.fault("google_ads", "throttle", seconds=seconds):
        reply = send(MORE_METRICS)
    assert reply.status_code == 429
    [error] = the_failure(reply).errors
    assert error.details.quota_error_details.retry_delay.total_seconds() == seconds
    assert error.error_code.quota_error.name.startswith("RESOURCE_")


@pytest.mark.parametrize("status", [500, 503])
def test_broken(offered: Any, send: Send, status: int) -> None:
    with offered.fault("google_ads", "server_error", status=status):
        reply = send(MORE_METRICS)
    assert reply.status_code == status
    assert json_format.ParseDict(_status(reply.json()), Status()).code == status


def test_a_bad_token(send: Send) -> None:
    reply = send(MORE_METRICS, changed={"authorization": "Bearer ya29.garbage"})
    assert reply.status_code == 401
    assert json_format.ParseDict(_status(reply.json()), Status()).code == 401


def the_failure(reply: requests.Response) -> GoogleAdsFailure:
    """The failure inside an error body, every word of which Google's types know."""
    body = reply.json()
    # Status resolves each detail's @type by name: a wrong one is an error.
    status = json_format.ParseDict(_status(body), Status())
    assert json_format.MessageToDict(status)["details"] == body["error"]["details"]
    [detail] = body["error"]["details"]
    assert re.fullmatch(r"[\w-]{22}", detail["requestId"])
    content = {name: value for name, value in detail.items() if name != "@type"}
    failure = GoogleAdsFailure.pb()()
    json_format.ParseDict(content, failure)
    for error in failure.errors:
        assert error.error_code.WhichOneof("error_code")
        assert error.message
    return GoogleAdsFailure.wrap(failure)


def _status(body: dict[str, Any]) -> dict[str, Any]:
    """The envelope as google.rpc.Status, which has no word for the HTTP status' name."""
    assert set(body) == {"error"}
    assert re.fullmatch("[A-Z_]+", body["error"]["status"])
    return {name: value for name, value in body["error"].items() if name != "status"}
