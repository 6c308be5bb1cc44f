"""A line for each account: what is wrong, and what to do."""

from __future__ import annotations

import pytest

from ingest.check import check_account
from ingest.sources.survey import typeform

GOOGLE = "/v26/customers/111/googleAds:search"
CUSTOMER = {"id": "111", "currencyCode": "EUR", "timeZone": "Europe/Berlin"}


@pytest.fixture
def check(oauth_vendor, connection_to, settings_for, clock, tokens, hurried):
    def checked(source, zone="Europe/Berlin", currency="EUR"):
        settings = settings_for(source, ("111", zone, currency))
        return check_account(
            settings.accounts[0],
            settings=settings,
            clock=clock,
            connection=connection_to(oauth_vendor),
            tokens=tokens,
            patience=hurried,
        )

    return checked


def customer(**more):
    return {"results": [{"customer": {**CUSTOMER, **more}}], "fieldMask": "a"}


def test_an_account_that_answers_as_configured_is_ok(check, oauth_vendor, answer):
    oauth_vendor.on("POST", GOOGLE, answer(customer()))
    found = check("google_ads")
    assert found.is_ok
    assert str(found) == "google_ads 111 (111): ok: Google Ads answers"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"currencyCode": "USD"}, "its currency is USD, not EUR"),
        ({"timeZone": "Asia/Tokyo"}, "its time zone is Asia/Tokyo, not Europe/Berlin"),
    ],
    ids=["currency", "time zone"],
)
def test_settings_that_disagree_with_the_vendor(check, oauth_vendor, answer, said, words):
    oauth_vendor.on("POST", GOOGLE, answer(customer(**said)))
    found = check("google_ads")
    assert not found.is_ok
    assert words in str(found)
    assert "Next step: correct the account in the settings" in str(found)


def test_hubspot_is_asked_for_one_row_of_everything(check, oauth_vendor, answer):
    for kind in ("objects/contacts", "objects/companies", "objects/deals", "owners"):
        oauth_vendor.on("GET", f"/crm/v3/{kind}", answer({"results": []}))
    assert check("hubspot").is_ok
    assert [asked.params for asked in oauth_vendor.asked if asked.method == "GET"] == [
        {"limit": "1"}
    ] * 4


def test_a_missing_permission_is_told_with_its_next_step(check, oauth_vendor, answer):
    body = {"category": "MISSING_SCOPES", "message": "not granted"}
    oauth_vendor.on("GET", "/crm/v3/objects/contacts", answer(body, 403))
    found = str(check("hubspot"))
    assert "WRONG: HubSpot: the app may not read this" in found
    assert "Next step: give the app the scopes" in found
    assert "\n" not in found


@pytest.mark.parametrize(
    ("items", "is_ok", "words"),
    [([{"id": "f"}], True, "Typeform answers"), ([], False, "it has no form")],
    ids=["a form", "none"],
)
def test_typeform(check, oauth_vendor, answer, items, is_ok, words):
    oauth_vendor.on("GET", "/forms", answer({"items": items, "page_count": 1}))
    found = check("typeform", currency=None)
    assert found.is_ok is is_ok
    assert words in str(found)
    assert typeform.SOURCE.title in str(found) or not is_ok


def test_a_vendor_that_is_down_is_a_line_too(check, oauth_vendor, answer):
    oauth_vendor.on("POST", GOOGLE, answer(b"", 503))
    assert "the vendor has trouble (HTTP 503)" in str(check("google_ads"))
