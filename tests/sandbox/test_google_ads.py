"""Google Ads as the vendor answers: accounts, reports, pages, errors."""

from __future__ import annotations

import json

import pytest

MANAGER, DE, US, CLOSED = "4185550100", "4185550101", "4185550102", "4185550109"
DAYS = "segments.date BETWEEN '2026-11-01' AND '2026-11-04'"
DAILY = f"SELECT campaign.id, segments.date, metrics.clicks FROM campaign WHERE {DAYS}"
ADS = (
    "SELECT ad_group.id, ad_group_ad.ad.id, segments.date, metrics.cost_micros FROM ad_group_ad "
    f"WHERE {DAYS} ORDER BY segments.date, ad_group_ad.ad.id"
)


def code(reply):
    """Status and the one error code of a refusal."""
    status, body, _ = reply
    error = (body[0] if isinstance(body, list) else body)["error"]
    assert error["code"] == status
    [failure] = error["details"]
    assert failure["@type"].endswith("errors.GoogleAdsFailure")
    [one] = failure["errors"]
    [(family, value)] = one["errorCode"].items()
    return status, error["status"], f"{family}.{value}"


def test_accessible_customers_need_no_login(vendors):
    path = "/v26/customers:listAccessibleCustomers"
    status, body, headers = vendors.send(
        "google_ads", "GET", path, headers=vendors.bearer("google_ads")
    )
    assert (status, body) == (200, {"resourceNames": [f"customers/{MANAGER}"]})
    assert headers["request-id"]


def test_the_accounts_below_the_manager(vendors):
    query = (
        "SELECT customer_client.client_customer, customer_client.level, customer_client.id, "
        "customer_client.manager, customer_client.time_zone, customer_client.currency_code, "
        "customer_client.status FROM customer_client WHERE customer_client.manager = FALSE"
    )
    rows = vendors.report(query, MANAGER, login=None)[1]["results"]
    assert rows[1] == {
        "customerClient": {
            "resourceName": f"customers/{MANAGER}/customerClients/{US}",
            "clientCustomer": f"customers/{US}",
            "level": "1",
            "id": US,
            "manager": False,
            "timeZone": "America/New_York",
            "currencyCode": "USD",
            "status": "ENABLED",
        }
    }
    assert [row["customerClient"]["status"] for row in rows] == ["ENABLED", "ENABLED", "CANCELED"]
    own = vendors.report(query.partition(" WHERE")[0], DE)[1]["results"]
    assert [(row["customerClient"]["id"], row["customerClient"]["level"]) for row in own] == [
        (DE, "0")
    ]


def test_a_report_row_word_by_word(vendors):
    query = (
        "SELECT customer.id, customer.currency_code, customer.time_zone, campaign.id, "
        "campaign.name, campaign.status, campaign.advertising_channel_type, segments.date, "
        "metrics.impressions, metrics.clicks, metrics.cost_micros, metrics.conversions, "
        "metrics.conversions_value, metrics.all_conversions, metrics.average_cpc, "
        "metrics.ctr FROM campaign "
        "WHERE segments.date = '2026-11-02' AND campaign.id = 11"
    )
    status, body, _ = vendors.report(query)
    assert status == 200
    assert body["results"] == [
        {
            "customer": {
                "resourceName": f"customers/{DE}",
                "id": DE,
                "currencyCode": "EUR",
                "timeZone": "Europe/Berlin",
            },
            "campaign": {
                "resourceName": f"customers/{DE}/campaigns/11",
                "id": "11",
                "name": 'Brand <script>alert(1)</script>, "quoted" 100%s 🏔️',
                "status": "ENABLED",
                "advertisingChannelType": "SEARCH",
            },
            "metrics": {
                "impressions": "300",
                "clicks": "30",
                "costMicros": "4500000",
                "conversions": 0.75,
                "conversionsValue": 37.5,
                "allConversions": 0.75,
                "averageCpc": 150000.0,
                "ctr": 0.1,
            },
            "segments": {"date": "2026-11-02"},
        }
    ]
    assert body["fieldMask"].startswith(
        "customer.id,customer.currencyCode,customer.timeZone,campaign.id,"
    )
    assert body["queryResourceConsumption"].isdigit()
    assert "nextPageToken" not in body


def test_the_body_is_indented_by_two_spaces(vendors):
    path = f"/v26/customers/{DE}/googleAds:search"
    headers = vendors.bearer("google_ads") | {"login-customer-id": MANAGER}
    delivery = vendors.send(
        "google_ads", "POST", path, body={"query": DAILY}, headers=headers, raw=True
    )
    text = delivery.reply.body.decode()
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


def test_only_what_was_selected_is_there_and_the_resource_names(vendors):
    [row, *_] = vendors.report(ADS)[1]["results"]
    assert row == {
        "adGroup": {"resourceName": f"customers/{DE}/adGroups/111", "id": "111"},
        "adGroupAd": {
            "resourceName": f"customers/{DE}/adGroupAds/111~1111",
            "ad": {"resourceName": f"customers/{DE}/ads/1111", "id": "1111"},
        },
        "metrics": {"costMicros": "1500000"},
        "segments": {"date": "2026-11-02"},
    }


def test_rows_with_only_zeros_vanish_when_segmented(vendors):
    ids = [row["campaign"]["id"] for row in vendors.report(DAILY)[1]["results"]]
    assert "13" not in ids
    with_conversions = DAILY.replace("metrics.clicks", "metrics.clicks, metrics.conversions")
    rows = vendors.report(with_conversions)[1]["results"]
    [old] = [row for row in rows if row["campaign"]["id"] == "13"]
    assert old["metrics"] == {"clicks": "0", "conversions": 1.5}


def test_an_unset_ratio_is_absent(vendors):
    query = (
        DAILY.replace("metrics.clicks", "metrics.conversions, metrics.ctr")
        + " AND campaign.id = 13"
    )
    [row] = vendors.report(query)[1]["results"]
    assert row["metrics"] == {"conversions": 1.5}
    query = DAILY.replace("metrics.clicks", "metrics.clicks, metrics.cost_per_conversion")
    [row] = vendors.report(query + " AND campaign.id = 14")[1]["results"]
    assert row["metrics"] == {"clicks": "1"}


def test_no_rows_no_results_key(vendors):
    status, body, _ = vendors.report(DAILY + " AND campaign.id = 99")
    assert status == 200
    assert set(body) == {"fieldMask", "queryResourceConsumption"}


def test_a_campaign_deleted_for_good_is_in_no_list_but_in_reports(vendors):
    listed = vendors.report("SELECT campaign.id, campaign.name FROM campaign")[1]["results"]
    assert [row["campaign"]["id"] for row in listed] == ["11", "12", "13"]
    reported = vendors.report(DAILY.replace("campaign.id", "campaign.id, campaign.name"))[1][
        "results"
    ]
    assert {"Deleted for good", "Everything"} <= {row["campaign"]["name"] for row in reported}


def test_totals_over_days_have_the_entities_without_a_day_too(vendors):
    query = (
        "SELECT campaign.id, metrics.clicks, metrics.cost_micros FROM campaign "
        "WHERE segments.date = '2026-11-03'"
    )
    rows = vendors.report(query)[1]["results"]
    found = {row["campaign"]["id"]: row["metrics"]["clicks"] for row in rows}
    assert found == {"11": "30", "12": "0", "13": "0"}
    total = vendors.report(f"SELECT metrics.cost_micros FROM customer WHERE {DAYS}")[1]["results"]
    assert total[0]["metrics"] == {"costMicros": str(3 * 4_500_000 + 700_000 + 10_000)}


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ("campaign.status = 'REMOVED'", ["13"]),
        ("campaign.status IN ('REMOVED', 'PAUSED')", ["13"]),
        ("campaign.status NOT IN ('REMOVED')", ["11", "12"]),
        ("campaign.id > 11", ["12", "13"]),
        ("campaign.id BETWEEN 12 AND 13", ["12", "13"]),
        ("campaign.name LIKE '%[script]%'", []),
        ("campaign.name LIKE '%<script>%'", ["11"]),
        ("campaign.name NOT LIKE 'every%'", ["11", "13"]),
        ("campaign.name IS NULL", []),
    ],
)
def test_conditions(vendors, condition, ids):
    rows = vendors.report(f"SELECT campaign.id FROM campaign WHERE {condition}")[1].get(
        "results", []
    )
    assert [row["campaign"]["id"] for row in rows] == ids


def test_order_and_limit(vendors):
    query = "SELECT campaign.id FROM campaign ORDER BY campaign.id DESC LIMIT 2"
    rows = vendors.report(query)[1]["results"]
    assert [row["campaign"]["id"] for row in rows] == ["13", "12"]


def pages(caller, query, **more):
    token, found = None, []
    while True:
        status, body, _ = caller.report(query, **({"pageToken": token} if token else {}), **more)
        assert status == 200, body
        found.append(body.get("results", []))
        token = body.get("nextPageToken")
        if token is None:
            return found


def test_pages_are_whole_and_end_without_a_token(call):
    whole = call().report(ADS)[1]["results"]
    found = pages(call(google_ads_page_rows=2), ADS)
    assert [len(page) for page in found] == [2, 2, 2]
    assert [row for page in found for row in page] == whole


def test_the_total_only_when_asked_for(call):
    caller = call(google_ads_page_rows=4)
    body = caller.report(ADS, searchSettings={"returnTotalResultsCount": True})[1]
    assert body["totalResultsCount"] == "6"
    assert "totalResultsCount" not in caller.report(ADS)[1]


def test_a_page_token_is_bound_to_its_query(call):
    caller = call(google_ads_page_rows=2)
    token = caller.report(ADS)[1]["nextPageToken"]
    for query, account in ((ADS + " LIMIT 5", DE), (ADS, US)):
        refused = code(caller.report(query, account, pageToken=token))
        assert refused == (400, "INVALID_ARGUMENT", "requestError.INVALID_PAGE_TOKEN")
    assert (
        code(caller.report(ADS, pageToken="CPii5aS87vfFTBAK"))[2]
        == "requestError.INVALID_PAGE_TOKEN"
    )


def test_a_page_token_of_another_night_has_expired(call, night):
    caller = call(google_ads_page_rows=2)
    token = caller.report(ADS)[1]["nextPageToken"]
    later = type(night)(night.as_of_date.replace(day=5), night.time_zone, night.publication_hour)
    caller.sandbox.set_clock(later)
    assert code(caller.report(ADS, pageToken=token))[2] == "requestError.EXPIRED_PAGE_TOKEN"


def test_search_stream_is_an_array_of_chunks(call):
    caller = call(google_ads_page_rows=4)
    status, chunks, _ = caller.report(ADS, verb="searchStream")
    assert status == 200
    assert [len(chunk["results"]) for chunk in chunks] == [4, 2]
    assert [set(chunk) - {"results"} for chunk in chunks] == [
        {"fieldMask", "requestId"},
        {"fieldMask", "requestId", "queryResourceConsumption"},
    ]
    assert caller.report(ADS + " LIMIT 1", verb="searchStream", account=US)[0] == 200
    status, body, _ = caller.report("SELECT x FROM campaign", verb="searchStream")
    assert (status, isinstance(body, list)) == (400, True)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(
            {"login": None},
            (403, "PERMISSION_DENIED", "authorizationError.USER_PERMISSION_DENIED"),
            id="no login-customer-id",
        ),
        pytest.param(
            {"login": US},
            (403, "PERMISSION_DENIED", "authorizationError.USER_PERMISSION_DENIED"),
            id="login is not the manager",
        ),
        pytest.param(
            {"login": "418-555-0100"},
            (400, "INVALID_ARGUMENT", "headerError.INVALID_LOGIN_CUSTOMER_ID"),
            id="dashes in the login",
        ),
        pytest.param(
            {"account": "418-555-0101"},
            (400, "INVALID_ARGUMENT", "requestError.INVALID_CUSTOMER_ID"),
            id="dashes in the account",
        ),
        pytest.param(
            {"account": "1234567890"},
            (401, "UNAUTHENTICATED", "authenticationError.CUSTOMER_NOT_FOUND"),
            id="unknown account",
        ),
        pytest.param(
            {"account": CLOSED},
            (403, "PERMISSION_DENIED", "authorizationError.CUSTOMER_NOT_ENABLED"),
            id="closed account",
        ),
        pytest.param(
            {"account": MANAGER},
            (400, "INVALID_ARGUMENT", "queryError.REQUESTED_METRICS_FOR_MANAGER"),
            id="metrics of the manager",
        ),
        pytest.param(
            {"version": "v20"},
            (400, "INVALID_ARGUMENT", "requestError.UNSUPPORTED_VERSION"),
            id="old version",
        ),
        pytest.param(
            {"pageSize": 1000},
            (400, "INVALID_ARGUMENT", "requestError.PAGE_SIZE_NOT_SUPPORTED"),
            id="page size",
        ),
        pytest.param(
            {"query": "SELECT segments.date FROM campaign"},
            (400, "INVALID_ARGUMENT", "queryError.EXPECTED_FILTERS_ON_DATE_RANGE"),
            id="no date range",
        ),
        pytest.param(
            {"query": "SELECT campaign.nme FROM campaign"},
            (400, "INVALID_ARGUMENT", "queryError.UNRECOGNIZED_FIELD"),
            id="unknown field",
        ),
        pytest.param(
            {"query": ""},
            (400, "INVALID_ARGUMENT", "requestError.REQUIRED_FIELD_MISSING"),
            id="no query",
        ),
    ],
)
def test_refusals(vendors, arguments, expected):
    query = arguments.pop("query", DAILY)
    assert code(vendors.report(query, **arguments)) == expected


def test_a_body_that_is_no_request(vendors):
    headers = vendors.bearer("google_ads") | {"login-customer-id": MANAGER}
    path = f"/v26/customers/{DE}/googleAds:search"
    for body in (b"{", b"[]", b'{"qery": "x"}'):
        status, content, _ = vendors.send("google_ads", "POST", path, body=body, headers=headers)
        assert (status, content["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert vendors.send("google_ads", "GET", path, headers=headers)[0] == 404


def test_one_query_is_one_operation_however_many_pages(call):
    caller = call(google_ads_page_rows=2, google_ads_operations_a_day=2)
    pages(caller, ADS)
    pages(caller, ADS)
    status, state, name = code(caller.report(ADS))
    assert (status, state, name) == (429, "RESOURCE_EXHAUSTED", "quotaError.RESOURCE_EXHAUSTED")


def test_too_many_queries_in_a_second(call, hands):
    caller = call(google_ads_queries_per_second=2)
    assert [caller.report(DAILY)[0] for _ in range(3)] == [200, 200, 429]
    reply = caller.report(DAILY)
    assert code(reply)[2] == "quotaError.RESOURCE_TEMPORARILY_EXHAUSTED"
    [error] = reply[1]["error"]["details"][0]["errors"]
    assert error["details"]["quotaErrorDetails"]["retryDelay"] == "1s"
    assert caller.report(DAILY, US)[0] == 200
    hands.seconds += 1
    assert caller.report(DAILY)[0] == 200
