"""Google's tokens as the vendor answers: refreshes, refusals, expiry."""

from __future__ import annotations

import pytest

DE = "4185550101"
DAYS = "segments.date BETWEEN '2026-11-01' AND '2026-11-04'"
DAILY = f"SELECT campaign.id, segments.date, metrics.clicks FROM campaign WHERE {DAYS}"


def test_a_refreshed_token_has_the_vendors_own_body(vendors):
    status, body, _ = vendors.refresh("google_ads")
    assert status == 200
    assert body.pop("access_token").startswith("ya29.")
    assert body == {
        "expires_in": 3599,
        "scope": "https://www.googleapis.com/auth/adwords",
        "token_type": "Bearer",
    }


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        pytest.param({"refresh_token": "1//none"}, 400, "invalid_grant", id="dead refresh token"),
        pytest.param({"client_secret": "x"}, 401, "invalid_client", id="wrong secret"),
        pytest.param({"grant_type": "password"}, 400, "unsupported_grant_type", id="other grant"),
    ],
)
def test_a_refused_refresh(vendors, changes, status, error):
    found, body, _ = vendors.refresh("google_ads", **changes)
    assert (found, body["error"]) == (status, error)
    if error == "invalid_grant":
        assert body["error_description"] == "Token has been expired or revoked."


@pytest.mark.parametrize("token", [None, "ya29.garbage", "ya29.", "other"])
def test_a_call_without_a_good_token_is_unauthenticated(vendors, token):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    path = f"/v26/customers/{DE}/googleAds:search"
    status, body, _ = vendors.send(
        "google_ads", "POST", path, body={"query": DAILY}, headers=headers
    )
    assert (status, body["error"]["status"]) == (401, "UNAUTHENTICATED")
    assert body["error"]["message"].startswith("Request had invalid authentication credentials.")


def test_an_access_token_expires_by_the_monotonic_clock(vendors, hands):
    assert vendors.report(DAILY)[0] == 200
    hands.seconds += 3598
    assert vendors.report(DAILY)[0] == 200
    hands.seconds += 1
    assert vendors.report(DAILY)[0] == 401
    vendors.tokens.clear()
    assert vendors.report(DAILY)[0] == 200
