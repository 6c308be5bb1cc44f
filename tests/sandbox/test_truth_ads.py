"""The truth of the ads against rows small enough to count by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.snapshot import Snapshot
from sandbox.truth import truth
from tests.sandbox.small_truth import (
    ACCOUNTS,
    CAMPAIGNS,
    NIGHT,
    Row,
    counted,
    snapshot,
    total,
)


def campaign_row(campaign: str, day: str, **values: Any) -> Row:
    account = next(row["account_id"] for row in CAMPAIGNS if row["campaign_id"] == campaign)
    return {"account_id": account, "campaign_id": campaign, "date": day, **values}


def ad_company() -> Snapshot:
    return snapshot(
        ad_accounts=ACCOUNTS,
        campaigns=CAMPAIGNS,
        campaign_daily=[
            campaign_row("11", "2026-03-01", clicks=3, cost_micros=1_230_000, conversions=0.1),
            campaign_row("12", "2026-03-01", clicks=4, cost_micros=10_000, conversions=0.2),
            campaign_row("21", "2026-03-01", clicks=5, cost_micros=7, conversions_value=9.99),
            campaign_row("11", "2026-07-01", clicks=100, cost_micros=10**9),
        ],
    )


def test_spend_is_kept_by_account_in_its_own_currency() -> None:
    rows = truth(ad_company(), NIGHT)
    rows = rows[(rows["kpi_component"] == "spend_micros") & (rows["segment_type"] == "company")]
    found = rows[["account_id", "currency_code", "value"]].to_numpy().tolist()
    assert found == [["1", "EUR", 1_240_000], ["2", "USD", 7]]


def test_ads_count_by_channel_and_campaign_deleted_ones_too() -> None:
    day = "2026-03-01"
    assert counted(ad_company(), "clicks", "channel") == {
        (day, "search"): 5,  # of the last account: both accounts have one
        (day, "performance_max"): 4,
    }
    assert counted(ad_company(), "clicks", "campaign") == {
        (day, "11"): 3,
        (day, "12"): 4,
        (day, "21"): 5,
    }


def test_fractions_of_conversions_add_up_exactly() -> None:
    value = counted(ad_company(), "conversions")[("2026-03-01", "")]
    assert value in (Decimal("0.300"), Decimal("0.000"))
    rows = truth(ad_company(), NIGHT).query("kpi_component == 'conversions'")
    assert rows[rows["segment_type"] == "company"]["value"].sum() == Decimal("0.3")
    assert isinstance(rows["value"].iloc[0], Decimal)


def test_days_after_the_night_do_not_count() -> None:
    assert total(ad_company(), "clicks", segment_type="campaign") == 12
