"""HubSpot's search as the vendor answers: operators, pages, the cap, its own limit."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pytest

from sandbox.hubspot_search import search

OBJECTS = "/crm/v3/objects"
MILLISECONDS = {
    day: str(int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp() * 1000))
    for day in ("2026-11-03", "2026-11-04")
}


def ids(body):
    return [row["id"] for row in body["results"]]


def found_by(caller, kind, *filters, **more):
    body = {"filterGroups": [{"filters": list(filters)}], **more}
    return caller.post("hubspot", f"{OBJECTS}/{kind}/search", body)


def where(name, operator, value=None, **more):
    return {
        "propertyName": name,
        "operator": operator,
        **({} if value is None else {"value": value}),
        **more,
    }


@pytest.mark.parametrize(
    ("kind", "condition", "expected"),
    [
        ("contacts", where("lastmodifieddate", "GTE", MILLISECONDS["2026-11-04"]), ["102"]),
        (
            "contacts",
            where("lastmodifieddate", "LT", "2026-11-04T00:00:00Z"),
            ["101", "103", "104", "105"],
        ),
        (
            "contacts",
            where(
                "lastmodifieddate",
                "BETWEEN",
                MILLISECONDS["2026-11-03"],
                highValue=MILLISECONDS["2026-11-04"],
            ),
            ["101", "103", "104", "105"],
        ),
        ("contacts", where("hs_object_id", "GT", "103"), ["104", "105"]),
        (
            "contacts",
            where("hs_lifecyclestage_salesqualifiedlead_date", "LT", "2027-01-01T00:00:00Z"),
            ["102"],
        ),
        ("contacts", where("hs_object_id", "LTE", "102"), ["101", "102"]),
        ("contacts", where("hs_object_id", "IN", values=["105", "101"]), ["101", "105"]),
        ("contacts", where("lifecyclestage", "EQ", "SalesQualifiedLead"), ["102"]),
        ("contacts", where("lifecyclestage", "NEQ", "lead"), ["102"]),
        ("contacts", where("lifecyclestage", "NOT_IN", values=["lead"]), ["102"]),
        ("contacts", where("hs_merged_object_ids", "HAS_PROPERTY"), ["102"]),
        (
            "contacts",
            where("hs_merged_object_ids", "NOT_HAS_PROPERTY"),
            ["101", "103", "104", "105"],
        ),
        ("deals", where("amount", "GTE", "1500"), ["77"]),
        ("deals", where("amount", "NEQ", "1500.5"), ["80"]),
        ("companies", where("name", "CONTAINS_TOKEN", "902"), ["902"]),
        ("companies", where("name", "NOT_CONTAINS_TOKEN", "902"), ["901"]),
    ],
)
def test_search_operators(vendors, kind, condition, expected):
    status, body, _ = found_by(vendors, kind, condition)
    assert status == 200
    assert (ids(body), body["total"]) == (expected, len(expected))
    assert "paging" not in body


def test_search_returns_neither_archived_records_nor_associations(vendors):
    status, body, headers = found_by(vendors, "contacts", limit=200, properties=["email"])
    assert status == 200
    assert ids(body) == ["101", "102", "103", "104", "105"]
    assert set(body["results"][0]) == {"id", "properties", "createdAt", "updatedAt", "archived"}
    assert not [name for name in headers if "RateLimit" in name]


def test_search_pages_by_offset_and_sorts(vendors):
    sort = [{"propertyName": "hs_object_id", "direction": "DESCENDING"}]
    first = found_by(vendors, "contacts", limit=3, sorts=sort)[1]
    assert (ids(first), first["paging"]) == (["105", "104", "103"], {"next": {"after": "3"}})
    second = found_by(vendors, "contacts", limit=3, sorts=sort, after="3")[1]
    assert ids(second) == ["102", "101"]
    assert "paging" not in second


def test_filter_groups_are_alternatives(vendors):
    groups = [{"filters": [where("hs_object_id", "EQ", number)]} for number in ("101", "104")]
    body = vendors.post("hubspot", f"{OBJECTS}/contacts/search", {"filterGroups": groups})[1]
    assert ids(body) == ["101", "104"]


NAMES = [where("email", "HAS_PROPERTY")]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"limit": 201}, id="limit above 200"),
        pytest.param({"after": "10000"}, id="after at the cap"),
        pytest.param({"after": "ten"}, id="after is no number"),
        pytest.param({"filterGroups": [{"filters": NAMES}] * 6}, id="six groups"),
        pytest.param({"filterGroups": [{"filters": NAMES * 7}]}, id="seven filters"),
        pytest.param({"filterGroups": [{"filters": NAMES * 5}] * 4}, id="twenty filters"),
        pytest.param({"sorts": [{"propertyName": "email"}] * 2}, id="two sorts"),
        pytest.param({"sorts": [{"propertyName": "nonsense"}]}, id="unknown sort"),
        pytest.param(
            {"filterGroups": [{"filters": [where("nonsense", "EQ", "1")]}]}, id="unknown property"
        ),
        pytest.param(
            {"filterGroups": [{"filters": [where("email", "LIKE", "1")]}]}, id="unknown operator"
        ),
        pytest.param({"filterGroups": [{"filters": [where("email", "EQ")]}]}, id="no value"),
        pytest.param(
            {"filterGroups": [{"filters": [where("lastmodifieddate", "GT", "soon")]}]}, id="no date"
        ),
        pytest.param({"query": "x" * 3001}, id="long query"),
    ],
)
def test_searches_that_are_refused(vendors, body):
    status, content, _ = vendors.post("hubspot", f"{OBJECTS}/contacts/search", body)
    assert (status, content["category"]) == (400, "VALIDATION_ERROR")


def test_the_cap_of_10_000_can_be_reached_but_not_passed(call, frames):
    one = frames["companies"].iloc[:1]
    frames["companies"] = one.loc[one.index.repeat(10_150)].assign(
        company_id=[str(number) for number in range(1, 10_151)]
    )
    caller = call()
    last = found_by(caller, "companies", limit=200, after="9800")[1]
    assert (last["total"], len(last["results"])) == (10_150, 200)
    assert last["paging"] == {"next": {"after": "10000"}}
    assert found_by(caller, "companies", limit=200, after="10000")[0] == 400
    rest = found_by(caller, "companies", where("hs_object_id", "GT", "10000"), limit=200)[1]
    assert (rest["total"], rest["results"][0]["id"]) == (150, "10001")


def test_search_has_a_limit_of_its_own(call, hands):
    caller = call(hubspot_search_per_second=5, hubspot_oauth_per_ten_seconds=1)
    replies = [found_by(caller, "deals") for _ in range(6)]
    assert [status for status, _, _ in replies] == [200] * 5 + [429]
    assert not [name for _, _, headers in replies for name in headers if "RateLimit" in name]
    status, body, headers = found_by(caller, "deals")
    assert (status, body["category"]) == (429, "RATE_LIMITS")
    assert body["message"] == "You have reached your secondly limit."
    assert set(body) == {"status", "message", "correlationId", "category"}
    assert "Retry-After" not in headers
    assert not [name for name in headers if "RateLimit" in name]
    hands.seconds += 1
    assert found_by(caller, "deals")[0] == 200


def test_an_index_that_lags_hides_what_changed_last(call):
    caller = call(faults=[{"vendor": "hubspot", "fault": "index_lag", "seconds": 24 * 3600}])
    assert "102" not in ids(found_by(caller, "contacts")[1])
    assert "102" in ids(caller.get("hubspot", f"{OBJECTS}/contacts")[1])


def test_search_needs_no_filter():
    moments = {"m": np.array([1, 2])}
    records = SimpleNamespace(
        is_archived=np.array([False, True]),
        moments=moments,
        kind=SimpleNamespace(modified="m"),
        texts={},
    )
    assert search(records, {}).tolist() == [0]
