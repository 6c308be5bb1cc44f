"""The truth of the ad accounts, from the campaign reports, whose dates are taken as they are."""

from __future__ import annotations

from datetime import date
from typing import Final

import pandas as pd

from sandbox.snapshot import Snapshot
from sandbox.truth_rows import midnight, stacked, summed

# component: column of the report, its decimal places, whether it is money
_COMPONENTS: Final = {
    "spend_micros": ("cost_micros", 0, True),
    "impressions": ("impressions", 0, False),
    "clicks": ("clicks", 0, False),
    "conversions": ("conversions", 3, False),
    "conversions_value": ("conversions_value", 2, True),
}


def ad_components(known: Snapshot, through: date) -> pd.DataFrame:
    """Spend, impressions, clicks, conversions and their value by account, channel and campaign."""
    report = known.campaign_daily[known.campaign_daily["date"] <= midnight(through)]
    campaigns = known.campaigns.set_index("campaign_id")["channel_type"].str.lower()
    accounts = known.ad_accounts.set_index("account_id")["currency_code"]
    rows = report.assign(
        channel=report["campaign_id"].map(campaigns),
        campaign=report["campaign_id"],
        currency=report["account_id"].map(accounts),
    )
    parts = []
    for component, (column, places, is_money) in _COMPONENTS.items():
        amount = (rows[column] * 10**places).round().astype("int64")
        counted = rows.assign(amount=amount, currency_code=rows["currency"] if is_money else "")
        parts.append(summed(counted, component, None, ("channel", "campaign"), places))
    return stacked(parts)
