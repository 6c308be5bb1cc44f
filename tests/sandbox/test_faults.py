"""Faults on demand: when they strike, what they do on each vendor, and what they say they did."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.faults import KINDS, SCENARIOS, VENDORS, FaultError, Faults

DAYS = "segments.date BETWEEN '2026-11-01' AND '2026-11-04'"
CAMPAIGNS = (
    "SELECT campaign.id, segments.date, metrics.impressions, metrics.clicks, metrics.cost_micros "
    f"FROM campaign WHERE {DAYS}"
)
ADS = CAMPAIGNS.replace("FROM campaign", "FROM ad_group_ad").replace(
    "campaign.id", "ad_group_ad.ad.id"
)
CONTACTS, DEALS = "/crm/v3/objects/contacts", "/crm/v3/objects/deals"
NPS = "/forms/NpsCust1/responses"


def ask(caller, vendor):
    """A call of each vendor that has rows: (status, body, headers)."""
    if vendor == "google_ads":
        return caller.report(CAMPAIGNS)
    return caller.get(vendor, CONTACTS if vendor == "hubspot" else NPS)


def rows(body):
    return body.get("results", body.get("items"))


def standing(caller):
    [fault] = caller.sandbox.faults.standing()
    return fault.as_json()


def test_times_and_after():
    faults = Faults([{"vendor": "hubspot", "fault": "server_error", "after": 2, "times": 2}])
    struck = [
        "server_error" in faults.strike("hubspot", "/x deals", is_token_call=False)
        for _ in range(6)
    ]
    assert struck == [False, False, True, True, False, False]


@pytest.mark.parametrize(
    ("match", "label", "is_struck"),
    [
        ("", "/v26/customers/1/googleAds:search campaigns", True),
        ("campaigns", "/v26/customers/1/googleAds:search campaigns", True),
        ("campaign", "/v26/customers/1/googleAds:search campaigns", False),
        ("customers/1", "/v26/customers/1/googleAds:search campaigns", True),
        ("customers/1 ad_daily", "/v26/customers/1/googleAds:search campaigns", False),
        ("customers/2 campaigns", "/v26/customers/1/googleAds:search campaigns", False),
    ],
)
def test_match_is_a_stream_or_a_part_of_the_path(match, label, is_struck):
    faults = Faults([{"vendor": "google_ads", "fault": "slow", "match": match}])
    assert ("slow" in faults.strike("google_ads", label, is_token_call=False)) is is_struck
    assert not faults.strike("hubspot", label, is_token_call=False).faults


def test_the_token_endpoint_is_struck_only_by_name(call):
    down = {"vendor": "google_ads", "fault": "server_error", "times": None}
    assert call([down]).refresh("google_ads")[0] == 200
    assert call([down | {"match": "/token"}]).refresh("google_ads")[0] == 503


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"vendor": "google_ads", "fault": "gremlins"}, "is not known; known are throttle, "),
        ({"vendor": "bing", "fault": "throttle"}, "vendor 'bing' has no fault 'throttle'"),
        ({"vendor": "hubspot", "fault": "negative_spend"}, "it is for google_ads"),
        (
            {"vendor": "hubspot", "fault": "throttle", "minutes": 1},
            "takes no minutes; it takes seconds",
        ),
        (
            {"vendor": "google_ads", "fault": "missing_day", "day": "soon"},
            "is not a day; write YYYY-MM-DD",
        ),
        ({"vendor": "google_ads", "fault": "missing_day", "times": 1}, "until it is deleted"),
        (
            {"vendor": "hubspot", "fault": "throttle", "times": "many"},
            "times 'many' is not a whole number",
        ),
        (
            {"vendor": "hubspot", "fault": "throttle", "seconds": -1},
            "seconds -1 is not a whole number",
        ),
        ({"vendor": "hubspot", "fault": "truncate", "how": "wire"}, "write connection or json"),
    ],
)
def test_a_fault_that_cannot_be_set_says_why(content, message):
    with pytest.raises(FaultError, match=message):
        Faults([content])


def test_every_scenario_can_be_set():
    for name, faults in SCENARIOS.items():
        assert len(Faults(faults).standing()) == len(faults), name


@pytest.mark.parametrize("vendor", VENDORS)
def test_server_error(call, vendor):
    caller = call([{"vendor": vendor, "fault": "server_error", "times": 2}])
    assert [ask(caller, vendor)[0] for _ in range(3)] == [503, 503, 200]
    assert standing(caller)["calls_hit"] == 2


def test_google_is_throttled_shortly_or_for_hours(call):
    for seconds, name in ((30, "RESOURCE_TEMPORARILY_EXHAUSTED"), (40_591, "RESOURCE_EXHAUSTED")):
        caller = call([{"vendor": "google_ads", "fault": "throttle", "seconds": seconds}])
        status, body, headers = caller.report(CAMPAIGNS)
        assert (status, body["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
        [error] = body["error"]["details"][0]["errors"]
        assert error["errorCode"] == {"quotaError": name}
        assert error["message"] == f"Too many requests. Retry in {seconds} seconds."
        assert error["details"]["quotaErrorDetails"]["retryDelay"] == f"{seconds}s"
        assert "Retry-After" not in headers
        assert caller.report(CAMPAIGNS)[0] == 200


def test_hubspot_is_throttled_by_policy(call):
    def policy(seconds, send):
        caller = call([{"vendor": "hubspot", "fault": "throttle", "seconds": seconds}])
        status, body, _ = send(caller)
        assert status == 429
        return body.get("policyName"), body.get("category")

    by_list = lambda caller: caller.get("hubspot", CONTACTS)  # noqa: E731
    by_search = lambda caller: caller.post("hubspot", CONTACTS + "/search", {})  # noqa: E731
    assert policy(1, by_list) == ("TEN_SECONDLY_ROLLING", None)
    assert policy(1, by_search) == (None, "RATE_LIMITS")
    assert policy(40_591, by_list) == ("DAILY", None)


def test_typeform_is_throttled_with_retry_after(call):
    caller = call([{"vendor": "typeform", "fault": "throttle", "seconds": 7}])
    status, body, headers = caller.get("typeform", NPS)
    assert (status, body["code"], headers["Retry-After"]) == (429, "TOO_MANY_REQUESTS", "7")


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_token_expires_in_the_middle_and_a_new_one_works(call, vendor):
    caller = call([{"vendor": vendor, "fault": "expire_token", "after": 2}])
    assert [ask(caller, vendor)[0] for _ in range(4)] == [200, 200, 401, 401]
    caller.tokens.clear()
    old = caller.connections[vendor]["extra"]["refresh_token"]
    if vendor == "typeform":
        assert caller.refresh(vendor)[0] == 400, "this refresh token has rotated"
        old = None
    if old:
        assert ask(caller, vendor)[0] == 200


@pytest.mark.parametrize(
    ("vendor", "status"), [("google_ads", 401), ("hubspot", 401), ("typeform", 403)]
)
def test_revoked_credentials_stay_dead_until_the_fault_is_lifted(call, vendor, status):
    caller = call()
    assert ask(caller, vendor)[0] == 200
    fault = caller.sandbox.faults.add({"vendor": vendor, "fault": "revoke"})
    assert ask(caller, vendor)[0] == status
    assert caller.refresh(vendor)[0] == 400
    assert caller.sandbox.faults.remove(fault.fault_id) == 1
    assert ask(caller, vendor)[0] == 200


def test_revoked_in_the_middle(call):
    caller = call([{"vendor": "hubspot", "fault": "revoke", "after": 2}])
    assert [ask(caller, "hubspot")[0] for _ in range(4)] == [200, 200, 401, 401]
    assert caller.refresh("hubspot")[1]["status"] == "BAD_REFRESH_TOKEN"


def test_slow_is_a_delay_of_the_wire(call):
    caller = call([{"vendor": "hubspot", "fault": "slow", "ms": 250}])
    headers = caller.bearer("hubspot")
    assert caller.send("hubspot", "GET", CONTACTS, headers=headers, raw=True).delay == 0.25


def test_truncated_json_is_half_of_it(call):
    caller = call([{"vendor": "hubspot", "fault": "truncate", "how": "json"}])
    headers = caller.bearer("hubspot")
    delivery = caller.send("hubspot", "GET", CONTACTS, headers=headers, raw=True)
    assert (delivery.reply.status, delivery.is_cut) == (200, False)
    with pytest.raises(json.JSONDecodeError):
        json.loads(delivery.reply.body)


def test_a_token_that_repeats(call):
    google = call([{"vendor": "google_ads", "fault": "repeat_token"}], google_ads_page_rows=2)
    token = google.report(CAMPAIGNS)[1]["nextPageToken"]
    assert google.report(CAMPAIGNS, pageToken=token)[1]["nextPageToken"] == token
    hubspot = call([{"vendor": "hubspot", "fault": "repeat_token"}])
    after = hubspot.get("hubspot", CONTACTS)[1]["paging"]["next"]["after"]
    assert hubspot.get("hubspot", CONTACTS, after=after)[1]["paging"]["next"]["after"] == after
    search = hubspot.post("hubspot", CONTACTS + "/search", {"limit": 2})[1]["paging"]["next"][
        "after"
    ]
    again = hubspot.post("hubspot", CONTACTS + "/search", {"limit": 2, "after": search})[1]
    assert again["paging"]["next"]["after"] == search


def test_a_page_that_repeats(call):
    google = call([{"vendor": "google_ads", "fault": "repeat_page"}], google_ads_page_rows=2)
    first = google.report(CAMPAIGNS)[1]
    second = google.report(CAMPAIGNS, pageToken=first["nextPageToken"])[1]
    assert second["results"] == first["results"]
    assert second["nextPageToken"] != first["nextPageToken"]
    hubspot = call([{"vendor": "hubspot", "fault": "repeat_page"}])
    first = hubspot.get("hubspot", CONTACTS, limit=2)[1]
    second = hubspot.get("hubspot", CONTACTS, limit=2, after=first["paging"]["next"]["after"])[1]
    assert second["results"] == first["results"]
    assert second["paging"] != first["paging"]
    typeform = call([{"vendor": "typeform", "fault": "repeat_page"}])
    first = typeform.get("typeform", NPS, page_size=10)[1]
    second = typeform.get("typeform", NPS, page_size=10, before=first["items"][-1]["token"])[1]
    assert second == first


def test_negative_spend(call):
    right = rows(call().report(CAMPAIGNS)[1])
    caller = call([{"vendor": "google_ads", "fault": "negative_spend", "rows": 1}])
    wrong = rows(caller.report(CAMPAIGNS)[1])
    changed = [(a, b) for a, b in zip(right, wrong, strict=True) if a != b]
    assert [(a["metrics"]["costMicros"], b["metrics"]["costMicros"]) for a, b in changed] == [
        ("4500000", "-4500000")
    ]
    assert changed[0][0]["segments"]["date"] == "2026-11-04"
    assert standing(caller)["rows_changed"] == 1


def test_clicks_above_impressions(call):
    caller = call([{"vendor": "google_ads", "fault": "clicks_above_impressions", "rows": None}])
    wrong = [
        row["segments"]["date"]
        for row in rows(caller.report(CAMPAIGNS)[1])
        if int(row["metrics"]["clicks"]) > int(row["metrics"]["impressions"])
    ]
    assert wrong == ["2026-11-04", "2026-11-04"]
    assert standing(caller)["rows_changed"] == 2


def test_an_impossible_date_of_another_day(call):
    fault = {"vendor": "google_ads", "fault": "impossible_date", "day": "2026-11-02"}
    caller = call([fault])
    dates = [row["segments"]["date"] for row in rows(caller.report(CAMPAIGNS)[1])]
    assert dates.count("2026-02-30") == 2
    assert "2026-11-02" not in dates
    assert standing(caller)["rows_changed"] == 2


@pytest.mark.parametrize("differs", [False, True])
def test_a_duplicate_key_in_a_report(call, differs):
    caller = call(
        [{"vendor": "google_ads", "fault": "duplicate_key", "rows": 1, "differs": differs}]
    )
    found = [row for row in rows(caller.report(ADS)[1]) if row["segments"]["date"] == "2026-11-04"]
    assert [row["adGroupAd"]["ad"]["id"] for row in found] == ["1111", "1111", "1112"]
    assert (found[0] != found[1]) is differs
    assert standing(caller)["rows_changed"] == 1


def test_a_missing_day_in_a_report(call):
    caller = call([{"vendor": "google_ads", "fault": "missing_day", "match": "campaign_daily"}])
    assert "2026-11-04" not in {
        row["segments"]["date"] for row in rows(caller.report(CAMPAIGNS)[1])
    }
    assert "2026-11-04" in {row["segments"]["date"] for row in rows(caller.report(ADS)[1])}
    assert standing(caller)["rows_changed"] == 2


def test_a_renamed_field_of_each_vendor(call):
    google = call([{"vendor": "google_ads", "fault": "renamed_field"}])
    found = rows(google.report(CAMPAIGNS)[1])
    assert {tuple(row["metrics"])[-1] for row in found} == {"costInMicros"}
    assert standing(google)["rows_changed"] == len(found)
    hubspot = call([{"vendor": "hubspot", "fault": "renamed_field"}])
    [deal, _] = rows(hubspot.get("hubspot", DEALS, propertiesWithHistory="dealstage")[1])
    assert list(deal["properties"]) == [
        "amount",
        "closedate",
        "createdate",
        "dealname",
        "hs_lastmodifieddate",
        "hs_object_id",
        "pipeline",
        "deal_stage",
    ]
    assert list(deal["propertiesWithHistory"]) == ["deal_stage"]
    assert standing(hubspot)["rows_changed"] == 2
    typeform = call([{"vendor": "typeform", "fault": "renamed_field"}])
    found = rows(typeform.get("typeform", NPS)[1])
    assert not [row for row in found if "submitted_at" in row]
    assert standing(typeform)["rows_changed"] == 25


def test_a_score_of_14_of_10(call):
    caller = call([{"vendor": "typeform", "fault": "score_out_of_range", "rows": 2}])
    found = rows(caller.get("typeform", NPS, page_size=1000)[1])
    scores = [row["answers"][0]["number"] for row in found]
    assert [place for place, score in enumerate(scores) if score == 14] == [0, 1]
    assert standing(caller)["rows_changed"] == 2


def test_duplicates_and_impossible_dates_of_records(call):
    caller = call([{"vendor": "hubspot", "fault": "duplicate_key", "rows": 1, "match": "contacts"}])
    found = [row["id"] for row in rows(caller.get("hubspot", CONTACTS)[1])]
    assert found == ["101", "102", "102", "103", "104", "105"]
    caller = call([{"vendor": "hubspot", "fault": "impossible_date", "rows": 1}])
    found = {row["id"]: row["createdAt"] for row in rows(caller.get("hubspot", CONTACTS)[1])}
    assert found["102"] == "2026-02-30T08:00:00.000Z"
    assert found["101"] == "2026-10-01T08:00:00.000Z"


def test_duplicates_impossible_dates_and_missing_days_of_responses(call):
    def found(**fault):
        caller = call([{"vendor": "typeform", **fault}])
        items = rows(caller.get("typeform", NPS, page_size=1000)[1])
        return caller, items

    caller, items = found(fault="duplicate_key", rows=2)
    assert [int(item["token"], 16) for item in items[:5]] == [29, 29, 28, 28, 27]
    caller, items = found(fault="impossible_date", rows=1)
    assert items[0]["submitted_at"] == "2026-02-30T07:10:00Z"
    caller, items = found(fault="missing_day", day="2026-11-03")
    assert items == []
    assert standing(caller)["rows_changed"] == 30


def test_asking_again_does_not_count_rows_twice(call):
    caller = call([{"vendor": "google_ads", "fault": "negative_spend", "rows": 1}])
    for query in (CAMPAIGNS, CAMPAIGNS, ADS):
        caller.report(query)
    assert standing(caller)["rows_changed"] == 2
    assert len(standing(caller)["rows_changed_by_request"]) == 2
    caller = call([{"vendor": "hubspot", "fault": "duplicate_key", "rows": 3}])
    for limit in (2, 2, 100):
        caller.get("hubspot", CONTACTS, limit=limit)
    assert list(standing(caller)["rows_changed_by_request"].values()) == [2, 3]


def test_a_report_without_faults_again_after_they_are_lifted(call):
    caller = call([{"vendor": "google_ads", "fault": "negative_spend"}])
    wrong = caller.report(CAMPAIGNS)[1]
    caller.sandbox.faults.remove(vendor="google_ads")
    assert caller.report(CAMPAIGNS)[1] != wrong


def test_every_kind_of_fault_is_tried_here():
    """A new kind of fault needs a test of its own."""
    tests = "".join(file.read_text("utf-8") for file in Path(__file__).parent.glob("test_*.py"))
    assert [kind for kind in KINDS if f'"{kind}"' not in tests] == []
