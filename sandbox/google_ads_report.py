"""Google Ads reports: a query over one account's frames, its rows, and those rows as the vendor's
indented JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from sandbox.gaql import Condition, Query, QueryError
from sandbox.google_ads_fields import FIELDS, SEGMENT, Days
from sandbox.snapshot import MANAGER_ACCOUNT, Snapshot

COUNTED = ("impressions", "clicks", "cost_micros", "conversions", "conversions_value")
DERIVED = {
    "metrics.interactions": "metrics.clicks",
    "metrics.all_conversions": "metrics.conversions",
    "metrics.all_conversions_value": "metrics.conversions_value",
}
RATIOS = {
    "metrics.ctr": ("metrics.clicks", "metrics.impressions"),
    "metrics.average_cpc": ("metrics.cost_micros", "metrics.clicks"),
    "metrics.cost_per_conversion": ("metrics.cost_micros", "metrics.conversions"),
}
MAIN_ID = {
    "customer": "customer.id",
    "campaign": "campaign.id",
    "ad_group": "ad_group.id",
    "ad_group_ad": "ad_group_ad.ad.id",
}
Columns = dict[str, np.ndarray]


class Reports:
    """One snapshot's accounts, entities and days, as columns named like the fields of a query."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.accounts: dict[str, dict[str, Any]] = {
            str(row["account_id"]): {str(name): value for name, value in row.items()}
            for row in snapshot.ad_accounts.to_dict("records")
        }
        self._cache: dict[tuple[str, str, bool], pd.DataFrame] = {}

    def today(self, account_id: str) -> date:
        """The day it is in the account's own time zone."""
        zone = ZoneInfo(str(self.accounts[account_id]["time_zone"]))
        return self.snapshot.now.astimezone(zone).date()

    def rows(self, account_id: str, query: Query, days: Days | None) -> Columns:
        """The rows of a checked query, in its order: every field of FIELDS that its resource
        offers.
        """
        uses = {*query.select, *(condition.field for condition in query.where)}
        has_facts = any(FIELDS[name].resource in ("metrics", "segments") for name in uses)
        table = self._facts(account_id, query.resource) if has_facts else None
        if table is None:
            table = self._listed(account_id, query.resource)
        else:
            if days is not None:
                within = table[SEGMENT].between(days.first.isoformat(), days.last.isoformat())
                table = table[within]
            if SEGMENT not in query.select:
                table = self._summed(table, account_id, query.resource)
            table = _with_derived(table)
            metrics = [name for name in query.select if name.startswith("metrics.")]
            if SEGMENT in query.select and metrics:
                table = table[(table[metrics].fillna(0) != 0).any(axis=1)]
        for condition in query.where:
            if condition.field != SEGMENT:
                table = table[_mask(table[condition.field], condition)]
        if query.order_by:
            table = _ordered(table, query)
        if query.limit is not None:
            table = table.iloc[: query.limit]
        return {str(name): table[name].to_numpy() for name in table.columns}

    def _listed(self, account_id: str, resource: str) -> pd.DataFrame:
        table = self._entities(account_id, resource)
        return table[table["is_listed"]] if "is_listed" in table else table

    def _entities(self, account_id: str, resource: str) -> pd.DataFrame:
        key = (account_id, resource, False)
        if key not in self._cache:
            self._cache[key] = _entities(self.snapshot, self.accounts, account_id, resource)
        return self._cache[key]

    def _facts(self, account_id: str, resource: str) -> pd.DataFrame:
        key = (account_id, resource, True)
        if key not in self._cache:
            self._cache[key] = self._daily(account_id, resource)
        return self._cache[key]

    def _daily(self, account_id: str, resource: str) -> pd.DataFrame:
        frame = {
            "customer": self.snapshot.campaign_daily,
            "campaign": self.snapshot.campaign_daily,
            "ad_group": self.snapshot.ad_group_daily,
            "ad_group_ad": self.snapshot.ad_daily,
        }[resource]
        frame = frame[frame["account_id"] == account_id]
        if resource == "customer":
            frame = frame.groupby(["account_id", "date"], as_index=False)[list(COUNTED)].sum()
        ids = [name for name in ("campaign_id", "ad_group_id", "ad_id") if name in frame.columns]
        frame = frame.sort_values(["date", *ids], kind="stable")
        entities = self._entities(account_id, resource)
        place = pd.Index(_keys(entities, resource)).get_indexer(
            pd.Index(_keys(_renamed(frame), resource))
        )
        table = (
            entities.drop(columns="is_listed", errors="ignore").take(place).reset_index(drop=True)
        )
        days = frame["date"].to_numpy().astype("datetime64[D]")
        values, codes = np.unique(days, return_inverse=True)
        table[SEGMENT] = np.datetime_as_string(values).astype(object)[codes]
        for name in COUNTED:
            table[f"metrics.{name}"] = frame[name].to_numpy()
        return table

    def _summed(self, table: pd.DataFrame, account_id: str, resource: str) -> pd.DataFrame:
        """Totals over the asked days: every listed entity, and those only reports still know."""
        metrics = [f"metrics.{name}" for name in COUNTED]
        entities = self._entities(account_id, resource).reset_index(drop=True)
        totals = table.assign(key=_keys(table, resource)).groupby("key")[metrics].sum()
        keys = _keys(entities, resource)
        is_listed = entities["is_listed"].to_numpy() if "is_listed" in entities else True
        is_kept = pd.Series(keys).isin(totals.index).to_numpy() | is_listed
        counts = totals.reindex(keys).fillna(0)
        for name in metrics[:3]:
            counts[name] = counts[name].astype("int64")
        summed = entities.assign(**{name: counts[name].to_numpy() for name in metrics})
        return summed[is_kept]


def _renamed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.rename(
        columns={
            "account_id": "customer.id",
            "campaign_id": "campaign.id",
            "ad_group_id": "ad_group.id",
            "ad_id": "ad_group_ad.ad.id",
        }
    )


def _keys(table: pd.DataFrame, resource: str) -> np.ndarray:
    main = table[MAIN_ID[resource]].astype(object)
    if resource == "ad_group_ad":
        main = table["ad_group.id"].astype(object) + "~" + main
    return np.asarray(main, dtype=object)


def _entities(
    snapshot: Snapshot, accounts: dict[str, dict[str, Any]], account_id: str, resource: str
) -> pd.DataFrame:
    if resource == "customer_client":
        return _customer_clients(accounts, account_id)
    account = accounts[account_id]
    if resource == "customer":
        table = pd.DataFrame({"customer.id": [account_id]}, dtype=object)
    else:
        table = _campaigns(snapshot, account_id)
    if resource in ("ad_group", "ad_group_ad"):
        groups = snapshot.ad_groups[snapshot.ad_groups["account_id"] == account_id]
        groups = _renamed(groups).rename(
            columns={"name": "ad_group.name", "status": "ad_group.status"}
        )
        prefix = f"customers/{account_id}/"
        groups["ad_group.resource_name"] = (
            prefix + "adGroups/" + groups["ad_group.id"].astype(object)
        )
        groups["ad_group.campaign"] = prefix + "campaigns/" + groups["campaign.id"].astype(object)
        table = groups.merge(table, on="campaign.id", how="left", suffixes=("", "_campaign"))
    if resource == "ad_group_ad":
        ads = snapshot.ads[snapshot.ads["account_id"] == account_id]
        ads = _renamed(ads).rename(
            columns={"status": "ad_group_ad.status", "type": "ad_group_ad.ad.type"}
        )
        ad_id, group_id = ads["ad_group_ad.ad.id"].astype(object), ads["ad_group.id"].astype(object)
        prefix = f"customers/{account_id}/"
        ads["ad_group_ad.resource_name"] = prefix + "adGroupAds/" + group_id + "~" + ad_id
        ads["ad_group_ad.ad.resource_name"] = prefix + "ads/" + ad_id
        ads["ad_group_ad.ad_group"] = prefix + "adGroups/" + group_id
        table = ads.drop(columns=["campaign.id"]).merge(
            table, on="ad_group.id", how="left", suffixes=("", "_group")
        )
    table["customer.id"] = account_id
    table["customer.resource_name"] = f"customers/{account_id}"
    table["customer.descriptive_name"] = account["name"]
    table["customer.currency_code"] = account["currency_code"]
    table["customer.time_zone"] = account["time_zone"]
    table["customer.status"] = account["status"]
    table["customer.manager"] = bool(account["is_manager"])
    known = [name for name in table.columns if name in FIELDS or name == "is_listed"]
    return table[known].reset_index(drop=True)


def _campaigns(snapshot: Snapshot, account_id: str) -> pd.DataFrame:
    campaigns = snapshot.campaigns[snapshot.campaigns["account_id"] == account_id]
    ids = campaigns["campaign_id"].astype(object)
    starts = pd.to_datetime(campaigns["start_date"]).dt.strftime("%Y-%m-%d 00:00:00")
    return pd.DataFrame(
        {
            "campaign.resource_name": f"customers/{account_id}/campaigns/" + ids,
            "campaign.id": ids,
            "campaign.name": campaigns["name"].astype(object),
            "campaign.status": campaigns["status"].astype(object),
            "campaign.advertising_channel_type": campaigns["channel_type"].astype(object),
            "campaign.start_date_time": starts.astype(object),
            "is_listed": campaigns["is_listed"].astype(bool),
        }
    )


def _customer_clients(accounts: dict[str, dict[str, Any]], account_id: str) -> pd.DataFrame:
    """A manager sees itself and every account below it; a client account sees itself."""
    seen = accounts.values() if account_id == MANAGER_ACCOUNT else [accounts[account_id]]
    own_level = int(accounts[account_id]["level"])
    prefix = f"customers/{account_id}/customerClients/"
    rows = [
        {
            "customer_client.resource_name": prefix + str(row["account_id"]),
            "customer_client.client_customer": f"customers/{row['account_id']}",
            "customer_client.id": str(row["account_id"]),
            "customer_client.descriptive_name": row["name"],
            "customer_client.currency_code": row["currency_code"],
            "customer_client.time_zone": row["time_zone"],
            "customer_client.status": row["status"],
            "customer_client.manager": bool(row["is_manager"]),
            "customer_client.hidden": False,
            "customer_client.level": int(row["level"]) - own_level,
            "customer.id": account_id,
            "customer.resource_name": f"customers/{account_id}",
            "customer.descriptive_name": accounts[account_id]["name"],
            "customer.currency_code": accounts[account_id]["currency_code"],
            "customer.time_zone": accounts[account_id]["time_zone"],
            "customer.status": accounts[account_id]["status"],
            "customer.manager": bool(accounts[account_id]["is_manager"]),
        }
        for row in seen
    ]
    return pd.DataFrame(rows)


def _with_derived(table: pd.DataFrame) -> pd.DataFrame:
    derived = {name: table[source] for name, source in DERIVED.items()}
    for name, (above, below) in RATIOS.items():
        derived[name] = (table[above] / table[below]).where(table[below] > 0)
    return table.assign(**derived)


def _mask(column: pd.Series, condition: Condition) -> pd.Series:
    kind, operator, value = FIELDS[condition.field].kind, condition.operator, condition.value
    if operator in ("IS NULL", "IS NOT NULL"):
        return column.isna() if operator == "IS NULL" else column.notna()
    if kind in ("int64", "double", "id"):
        column = column.astype("int64" if kind == "id" else "float64")
        number = _numbers if isinstance(value, tuple) else _number
        value = number(value, condition)  # type: ignore[arg-type]
    elif kind == "boolean":
        column = column.map({True: "true", False: "false"})
        value = str(value).lower()
    if isinstance(value, tuple):
        if operator == "BETWEEN":
            return column.between(value[0], value[1])
        return column.isin(value) == (operator == "IN")
    if operator in ("LIKE", "NOT LIKE"):
        if kind != "text":
            raise QueryError(
                "OPERATOR_FIELD_MISMATCH", f"LIKE cannot be used with {condition.field}."
            )
        matches = column.str.fullmatch(_pattern(str(value)), case=False)
        return matches if operator == "LIKE" else ~matches
    if kind in ("enum", "boolean") and operator not in ("=", "!="):
        raise QueryError(
            "OPERATOR_FIELD_MISMATCH", f"{operator} cannot be used with {condition.field}."
        )
    compared = {
        "=": column.eq,
        "!=": column.ne,
        ">": column.gt,
        ">=": column.ge,
        "<": column.lt,
        "<=": column.le,
    }
    return compared[operator](value)


def _pattern(like: str) -> str:
    wild = {"%": ".*", "_": "."}
    return "".join(wild.get(char) or re.escape(char) for char in like)


def _number(value: object, condition: Condition) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise QueryError(
            "BAD_NUMBER", f"{value!r} is not a number for {condition.field}."
        ) from None


def _numbers(values: Iterable[object], condition: Condition) -> tuple[float, ...]:
    return tuple(_number(value, condition) for value in values)


def _ordered(table: pd.DataFrame, query: Query) -> pd.DataFrame:
    names = [ordering.field for ordering in query.order_by]
    numeric = {name for name in names if FIELDS[name].kind == "id"}
    return table.sort_values(
        names,
        ascending=[not ordering.is_descending for ordering in query.order_by],
        kind="stable",
        key=lambda column: column.astype("int64") if column.name in numeric else column,
    )
