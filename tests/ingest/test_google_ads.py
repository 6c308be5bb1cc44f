"""Google Ads against a small vendor: the query, paging, the manager, closed accounts."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest

from ingest.batch import Unit, Window
from ingest.errors import Refused, Skipped, Throttled
from ingest.pull import pull_unit
from ingest.sources.ads.google_ads import SOURCE, gaql, headers

WINDOW = Window(date(2026, 10, 1), date(2026, 11, 1))
PATH = "/v26/customers/111/googleAds:search"


@pytest.fixture
def pull(oauth_vendor, connection_to, settings_for, clock, landing, tokens, hurried):
    settings = settings_for("google_ads", ("111", "Europe/Berlin", "EUR"))

    def run(stream="campaign_daily", window=WINDOW, account="111", **extra):
        extra = {"login_customer_id": "999-888-7777", **extra}
        return pull_unit(
            Unit("google_ads", account, stream, window),
            settings=settings,
            clock=clock,
            landing=landing,
            connection=connection_to(oauth_vendor, **extra),
            tokens=tokens,
            patience=hurried,
        )

    return run


def report(total, size):
    """Pages of `size` rows, indented as Google does; a token is bound to its query."""

    def answer_report(asked, answer):
        assert set(asked.json) <= {"query", "pageToken"}
        start = int(asked.json.get("pageToken", "token-0").removeprefix("token-"))
        rows = [
            {"campaign": {"id": str(number), "name": "two\nlines"}, "metrics": {"conversions": 1.5}}
            for number in range(start, min(start + size, total))
        ]
        body = {"fieldMask": "campaign.id"}
        if rows:
            body["results"] = rows
        if start + size < total:
            body["nextPageToken"] = f"token-{start + size}"
        return answer(json.dumps(body, indent=2).encode())

    return answer_report


@pytest.mark.parametrize(("total", "calls"), [(0, 1), (3, 1), (4, 2), (7, 3)])
def test_all_pages_land_one_row_a_line(oauth_vendor, pull, landing, answer, total, calls):
    give = report(total, 3)
    oauth_vendor.on("POST", PATH, lambda asked: give(asked, answer))
    batch = pull()
    lines = landing.read_rows(batch).splitlines()
    assert [json.loads(line)["campaign"]["id"] for line in lines] == [str(n) for n in range(total)]
    assert all(json.loads(line)["campaign"]["name"] == "two\nlines" for line in lines)
    assert batch.manifest.calls == len(oauth_vendor.calls(PATH)) == calls
    queries = {asked.json["query"] for asked in oauth_vendor.calls(PATH)}
    assert queries == {gaql(SOURCE.streams["campaign_daily"], WINDOW)}


def test_the_manager_stands_in_the_header_and_is_asked_for_its_customers(
    oauth_vendor, pull, answer
):
    manager = "/v26/customers/9998887777/googleAds:search"
    oauth_vendor.on("POST", manager, answer({"fieldMask": "a"}))
    batch = pull("customers", None, "google_ads")
    assert batch.manifest.account == "google_ads"
    (asked,) = oauth_vendor.calls(manager)
    assert asked.headers["login-customer-id"] == "9998887777"
    assert "FROM customer_client" in asked.json["query"]


def test_without_a_manager_the_account_is_asked_itself(oauth_vendor, pull, answer):
    oauth_vendor.on("POST", PATH, answer({"fieldMask": "a"}))
    pull("customers", None, "google_ads", login_customer_id="")
    assert "login-customer-id" not in oauth_vendor.calls(PATH)[0].headers


def test_version_and_developer_token_come_from_the_connection(oauth_vendor, pull, answer):
    path = PATH.replace("v26", "v27")
    oauth_vendor.on("POST", path, answer({"fieldMask": "a"}))
    pull(api_version="v27", developer_token="dev")
    assert oauth_vendor.calls(path)[0].headers["developer-token"] == "dev"


def refusal(status, family, value, **details):
    failure = {"errorCode": {family: value}, "message": value, "details": details}
    return {"error": {"code": status, "status": "S", "details": [{"errors": [failure]}]}}


def test_an_account_that_is_not_enabled_is_skipped_and_nothing_lands(
    oauth_vendor, pull, landing, answer
):
    closed = refusal(403, "authorizationError", "CUSTOMER_NOT_ENABLED")
    oauth_vendor.on("POST", PATH, answer(closed, 403))
    with pytest.raises(Skipped, match=r"google_ads 111 campaign_daily 2026-10-01\.\.2026-11-01: "):
        pull()
    assert landing.batches() == []


def test_hours_of_waiting_go_back_to_the_scheduler(oauth_vendor, pull, answer):
    delay = {"quotaErrorDetails": {"retryDelay": "40591s"}}
    body = refusal(429, "quotaError", "RESOURCE_EXHAUSTED", **delay)
    oauth_vendor.on("POST", PATH, answer(body, 429))
    with pytest.raises(Throttled) as caught:
        pull()
    assert caught.value.wait == 40591
    assert len(oauth_vendor.calls(PATH)) == 1


def test_a_page_token_that_repeats_does_not_land(oauth_vendor, pull, landing, answer):
    numbers = iter(range(99))

    def always_more(_):
        row = {"campaign": {"id": str(next(numbers))}}
        return answer({"results": [row], "nextPageToken": "same", "fieldMask": "a"})

    oauth_vendor.on("POST", PATH, always_more)
    with pytest.raises(Exception, match="already read"):
        pull()
    assert landing.batches() == []


def test_a_renamed_list_of_rows_is_not_an_empty_report(oauth_vendor, pull, answer):
    oauth_vendor.on("POST", PATH, answer({"rows": [{}]}))
    with pytest.raises(Refused, match="holds no 'results'"):
        pull()


@pytest.mark.parametrize("stream", SOURCE.streams.values(), ids=SOURCE.streams)
def test_the_query_asks_for_every_column_and_only_those(stream):
    query = gaql(stream, WINDOW if stream.is_windowed else None)
    selected = re.search(r"SELECT (.*?) FROM (\w+)", query)
    assert selected is not None
    fields = selected[1].split(", ")
    assert len(fields) == len(stream.columns) == len(set(fields))
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", field) for field in fields)
    assert ("segments.date BETWEEN '2026-10-01' AND '2026-11-01'" in query) == stream.is_windowed


@pytest.mark.parametrize(
    ("stream", "field"),
    [
        ("ad_daily", "ad_group_ad.ad.id"),
        ("campaign_daily", "campaign.advertising_channel_type"),
        ("campaign_daily", "metrics.conversions_value"),
        ("customers", "customer_client.descriptive_name"),
        ("campaigns", "campaign.start_date_time"),
    ],
)
def test_fields_are_spelled_as_queries_want_them(stream, field):
    assert field in gaql(SOURCE.streams[stream], None)


def test_no_status_is_filtered_out():
    """Removed campaigns keep the history that they spent."""
    assert all("REMOVED" not in gaql(stream, WINDOW) for stream in SOURCE.streams.values())
    assert all(".status =" not in gaql(stream, WINDOW) for stream in SOURCE.streams.values())


def test_no_header_without_a_value(connection_to, oauth_vendor):
    assert headers(connection_to(oauth_vendor)) == {}
