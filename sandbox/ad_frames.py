"""Accounts, campaigns, ad groups and ads by the vendor's ids and names, and rows of reports."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sandbox.campaigns import ACCOUNTS, AD_TYPES, CHANNELS, FOREVER, PERFORMANCE_MAX, Plan
from sandbox.draws import Array

MEASURES: Final = ("impressions", "clicks", "cost_micros", "conversions", "conversions_value")


class ReportNames:
    """Turns numbers of campaigns, groups and units into the vendor's ids."""

    def __init__(self, plan: Plan, start: date) -> None:
        self._start = np.datetime64(start, "s")
        self._accounts = np.array(
            [ACCOUNTS[campaign.account][0] for campaign in plan.campaigns], dtype=object
        )
        self._campaigns = np.array(plan.campaign_ids, dtype=object)
        self._groups = np.array(group_ids(plan), dtype=object)
        self._ads = np.array(ad_ids(plan), dtype=object)

    def report(
        self,
        campaign: NDArray[np.int64],
        group: NDArray[np.int64] | None,
        unit: NDArray[np.int64] | None,
        keys: tuple[NDArray[np.int64], NDArray[np.int64]],
        values: dict[str, NDArray[np.int64]],
    ) -> pd.DataFrame:
        columns: dict[str, Array] = {
            "account_id": self._accounts[campaign],
            "campaign_id": self._campaigns[campaign],
        }
        if group is not None:
            columns["ad_group_id"] = self._groups[group]
        if unit is not None:
            columns["ad_id"] = self._ads[unit]
        columns["date"] = self._start + keys[0].astype("timedelta64[D]").astype("timedelta64[s]")
        columns |= {name: values[name] for name in MEASURES[:3]}
        columns["conversions"] = values["conversions"] / 1000
        columns["conversions_value"] = values["conversions_value"] / 100
        return pd.DataFrame(columns)


def group_ids(plan: Plan) -> list[str]:
    return [str(147_300_500_003 + 11 * number) for number in range(len(plan.groups["campaign"]))]


def ad_ids(plan: Plan) -> list[str]:
    return [str(688_100_200_009 + 13 * number) for number in range(len(plan.units["campaign"]))]


def entity_frames(plan: Plan, start: date, now: datetime) -> dict[str, pd.DataFrame]:
    """Accounts, campaigns, ad groups and ads that exist at `now`, with their names and status."""
    today = [(now.astimezone(ZoneInfo(account[3])).date() - start).days for account in ACCOUNTS]
    accounts = pd.DataFrame(
        [(*account[:4], "ENABLED", *account[4:]) for account in ACCOUNTS],
        columns=[
            "account_id",
            "name",
            "currency_code",
            "time_zone",
            "status",
            "is_manager",
            "level",
        ],
    )
    days = [today[campaign.account] for campaign in plan.campaigns]
    campaigns = pd.DataFrame(
        {
            "account_id": [ACCOUNTS[campaign.account][0] for campaign in plan.campaigns],
            "campaign_id": plan.campaign_ids,
            "name": [c.name_on(day) for c, day in zip(plan.campaigns, days, strict=True)],
            "status": [c.status_on(day) for c, day in zip(plan.campaigns, days, strict=True)],
            "channel_type": [CHANNELS[campaign.channel] for campaign in plan.campaigns],
            "start_date": pd.DatetimeIndex(
                [start + timedelta(days=campaign.starts) for campaign in plan.campaigns]
            ).as_unit("s"),
            "is_listed": [
                day < c.unlisted_from for c, day in zip(plan.campaigns, days, strict=True)
            ],
        }
    )
    exists = np.array([c.starts <= day for c, day in zip(plan.campaigns, days, strict=True)])
    parent = campaigns.to_numpy(dtype=object)
    of_group = plan.groups["campaign"]
    groups = pd.DataFrame(
        {
            "account_id": parent[of_group, 0],
            "campaign_id": parent[of_group, 1],
            "ad_group_id": group_ids(plan),
            "name": [f"Group {number % 4 + 1}" for number in range(len(of_group))],
            "status": np.where(parent[of_group, 3] == "REMOVED", "REMOVED", "ENABLED"),
        }
    )[exists[of_group]]
    of_ad = plan.units["campaign"]
    age = np.array(days)[of_ad]
    channel = np.array([campaign.channel for campaign in plan.campaigns])[of_ad]
    stopped = (plan.units["ends"] <= age) & (plan.units["ends"] < FOREVER)
    status = np.where(stopped, "PAUSED", "ENABLED")
    group_id = np.array([*group_ids(plan), None], dtype=object)
    ads = pd.DataFrame(
        {
            "account_id": parent[of_ad, 0],
            "campaign_id": parent[of_ad, 1],
            "ad_group_id": group_id[plan.units["group"]],
            "ad_id": ad_ids(plan),
            "status": np.where(parent[of_ad, 3] == "REMOVED", "REMOVED", status),
            "type": np.array(AD_TYPES, dtype=object)[channel],
        }
    )[(channel != PERFORMANCE_MAX) & (plan.units["starts"] <= age)]
    return {
        "ad_accounts": accounts,
        "campaigns": campaigns[exists].reset_index(drop=True),
        "ad_groups": groups.reset_index(drop=True),
        "ads": ads.reset_index(drop=True),
    }
