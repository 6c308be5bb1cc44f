"""Rows set aside are found again over all of landing, by name."""

from __future__ import annotations

import pytest

from expectations.quarantine import NoSuchRowError, find, rows_set_aside

ADS = ("google_ads", "campaign_daily")


@pytest.fixture
def some(gatehouse):
    rows = gatehouse.clean(*ADS, 3)
    rows[1]["metrics"]["clicks"] = "-1"
    gatehouse.verdict(*ADS, rows)
    gatehouse.land(*ADS, rows)
    gatehouse.verdict("hubspot", "owners", [*gatehouse.clean("hubspot", "owners", 2), b"{"])
    return gatehouse.landing


def test_all_rows_of_gated_batches(some):
    names = [row.name for row in rows_set_aside(some)]
    assert names == [
        "google_ads.101.campaign_daily.000001.2",
        "hubspot.crm.owners.000001.3",
    ]
    assert [row.name for row in rows_set_aside(some, "hubspot")] == names[1:]
    assert list(rows_set_aside(some, "google_ads", "101", "campaigns")) == []


def test_a_row_by_its_name(some):
    for row in rows_set_aside(some):
        assert find(some, row.name) == row
    row = find(some, "google_ads.101.campaign_daily.000001.2")
    assert row.reasons == ("google_ads.campaign_daily.clicks_not_negative",)
    assert '"clicks":"-1"' in row.row
    assert (str(row.day), row.columns) == ("2026-03-10", ())


@pytest.mark.parametrize(
    "name",
    [
        "",
        "google_ads.101.campaign_daily.000001.1",
        "google_ads.101.campaign_daily.000002.2",
        "google_ads.101.campaign_daily.x.2",
        "*.*.*.000001.2",
    ],
)
def test_a_name_that_is_none(some, name):
    with pytest.raises(NoSuchRowError, match="boscard quarantine list"):
        find(some, name)


def test_an_account_may_have_points_in_its_name(gatehouse):
    account = "acme.example.com"
    rows = [*gatehouse.clean("hubspot", "owners", 1), b"{"]
    gatehouse.gate(gatehouse.land("hubspot", "owners", rows, account=account))
    assert find(gatehouse.landing, f"hubspot.{account}.owners.000001.2").row == "{"
