"""Faults that change what an answer says or how it is laid out, on each vendor."""

from __future__ import annotations

import pytest

from sandbox.faults import VENDORS
from tests.sandbox.test_faults import CAMPAIGNS, CONTACTS, NPS, ask, rows, standing


def test_a_disabled_account(call):
    caller = call([{"vendor": "google_ads", "fault": "disable"}])
    status, body, _ = caller.report(CAMPAIGNS)
    [error] = body["error"]["details"][0]["errors"]
    assert (status, error["errorCode"]) == (403, {"authorizationError": "CUSTOMER_NOT_ENABLED"})


def _pages(call, vendor, *faults):
    """The ids on the first two pages of two rows and more, as the vendor's tokens lead to them."""
    caller = call([{"vendor": vendor, **fault} for fault in faults], google_ads_page_rows=2)
    if vendor == "google_ads":
        first = caller.report(CAMPAIGNS)[1]
        second = caller.report(CAMPAIGNS, pageToken=first["nextPageToken"])[1]
    elif vendor == "hubspot":
        first = caller.get(vendor, CONTACTS, limit=2)[1]
        second = caller.get(vendor, CONTACTS, limit=2, after=first["paging"]["next"]["after"])[1]
    else:
        first = caller.get(vendor, NPS, page_size=2)[1]
        before = first["items"][-1]["token"] if first["items"] else ""
        second = caller.get(vendor, NPS, page_size=2, before=before)[1]
    return rows(first) or [], rows(second) or []


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_page_begins_with_the_end_of_the_one_before(call, vendor):
    first, second = _pages(call, vendor, {"fault": "overlap", "rows": 1})
    plain, following = _pages(call, vendor)
    assert first == plain
    assert second[0] == plain[-1]
    assert second[1:] == following[: len(second) - 1]


@pytest.mark.parametrize("vendor", ["google_ads", "hubspot"])
def test_a_page_in_the_middle_is_empty(call, vendor):
    first, second = _pages(call, vendor, {"fault": "empty_page"})
    assert first == []
    assert second == _pages(call, vendor)[0]


def test_an_empty_page_of_a_search_and_of_a_survey(call):
    caller = call([{"vendor": "hubspot", "fault": "empty_page"}])
    empty = caller.post("hubspot", CONTACTS + "/search", {"limit": 2})[1]
    assert empty["results"] == []
    after = empty["paging"]["next"]["after"]
    assert len(
        caller.post("hubspot", CONTACTS + "/search", {"limit": 2, "after": after})[1]["results"]
    )
    survey = call([{"vendor": "typeform", "fault": "empty_page"}]).get("typeform", NPS)[1]
    assert (survey["items"], survey["page_count"]) == ([], 2)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_body_laid_out_otherwise_says_the_same(call, vendor):
    caller = call([{"vendor": vendor, "fault": "indented", "indent": 3}])
    body = ask(caller, vendor)[1]
    assert body == ask(call(), vendor)[1]
    path = CONTACTS if vendor == "hubspot" else NPS
    if vendor != "google_ads":
        headers = caller.bearer(vendor)
        delivery = caller.send(vendor, "GET", path, headers=headers, raw=True)
        assert b"\n   " in delivery.reply.body


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_body_that_is_not_text(call, vendor):
    caller = call([{"vendor": vendor, "fault": "invalid_utf8"}])
    with pytest.raises(UnicodeDecodeError):
        ask(caller, vendor)
    assert ask(caller, vendor)[0] == 200


@pytest.mark.parametrize(
    ("vendor", "field", "value"),
    [
        ("google_ads", "metrics.costMicros", "n/a"),
        ("google_ads", "metrics.costMicros", {"amount": 1}),
        ("hubspot", "properties.email", ["x"]),
        ("typeform", "landed_at", None),
    ],
)
def test_a_wrong_value(call, vendor, field, value):
    fault = {"vendor": vendor, "fault": "wrong_value", "field": field, "value": value, "rows": 1}
    caller = call([fault])
    right, wrong = rows(ask(call(), vendor)[1]), rows(ask(caller, vendor)[1])
    [changed] = [b for a, b in zip(right, wrong, strict=True) if a != b]
    for part in field.split("."):
        changed = changed[part]
    assert changed == value
    assert standing(caller)["rows_changed"] == 1


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_added_field(call, vendor):
    caller = call([{"vendor": vendor, "fault": "added_field", "value": {"a": "100 %"}}])
    found = rows(ask(caller, vendor)[1])
    assert {row.pop("novelty")["a"] for row in found} == {"100 %"}
    assert found == rows(ask(call(), vendor)[1])
    assert standing(caller)["rows_changed"] == len(found)


@pytest.mark.parametrize("vendor", VENDORS)
def test_missing_rows(call, vendor):
    caller = call([{"vendor": vendor, "fault": "missing_rows", "percent": 50}])
    left, whole = rows(ask(caller, vendor)[1]), rows(ask(call(), vendor)[1])
    assert [row for row in whole if row in left] == left
    assert len(whole) - len(left) == standing(caller)["rows_changed"] > 0


def test_a_clock_an_hour_ahead(call):
    def moments(*faults):
        caller = call([{"vendor": vendor, **fault} for vendor, fault in faults])
        contact = rows(caller.get("hubspot", CONTACTS)[1])[0]
        return contact["createdAt"], rows(caller.get("typeform", NPS)[1])[0]["submitted_at"]

    ahead = {"fault": "clock_ahead"}
    assert moments() == ("2026-10-01T08:00:00.000Z", "2026-11-03T07:10:00Z")
    assert moments(("hubspot", ahead), ("typeform", ahead)) == (
        "2026-10-01T09:00:00.000Z",
        "2026-11-03T08:10:00Z",
    )


def test_an_answer_of_ids_alone_has_nothing_to_make_wrong(call):
    caller = call([{"vendor": "hubspot", "fault": "impossible_date"}])
    caller.post("hubspot", CONTACTS + "/search", {"properties": ["hs_object_id"]})
    assert standing(caller)["rows_changed"] == 0
