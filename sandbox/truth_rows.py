"""The shape of the truth: one row for each component, day, account and segment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pandas as pd

COLUMNS = (
    *("kpi_component", "date", "account_id", "segment_type", "segment"),
    *("currency_code", "value"),
)


def days_of(instants: pd.Series, zone: ZoneInfo) -> pd.Series:
    """The calendar day of each instant in `zone` (datetime64[s] at midnight, without a zone)."""
    local = pd.DatetimeIndex(instants).tz_convert(zone).tz_localize(None)
    return pd.Series(local.normalize().as_unit("s"), index=instants.index)


def midnight(day: date) -> pd.Timestamp:
    return pd.Timestamp(day)


def summed(
    rows: pd.DataFrame,
    component: str,
    account: str | None,
    segments: Sequence[str],
    places: int = 0,
) -> pd.DataFrame:
    """Sums of the whole number `amount` by day for the company and for each of `segments`.

    `rows` has `date` and `amount`, the columns named in `segments`, and maybe `account_id` and
    `currency_code`. With `places` the sum is a Decimal with that many decimals.
    """
    if rows.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    rows = rows if account is None else rows.assign(account_id=account)
    if "currency_code" not in rows:
        rows = rows.assign(currency_code="")
    parts = []
    for segment_type in ("company", *segments):
        segment = "" if segment_type == "company" else rows[segment_type]
        keyed = rows.assign(segment_type=segment_type, segment=segment)
        keys = ["date", "account_id", "segment_type", "segment", "currency_code"]
        parts.append(keyed.groupby(keys)["amount"].sum().reset_index())
    total = pd.concat(parts, ignore_index=True)
    return total.assign(kpi_component=component, value=exact(total["amount"], places))


def exact(values: pd.Series, places: int) -> pd.Series:
    """Whole numbers as int objects, or as Decimals after moving the point by `places`."""
    whole = [int(value) for value in values]
    moved = [Decimal(value).scaleb(-places) for value in whole] if places else whole
    return pd.Series(moved, index=values.index, dtype=object)


def stacked(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The parts as one frame, in the order of its keys."""
    filled = [part[list(COLUMNS)] for part in parts if len(part)]
    if not filled:
        return pd.DataFrame(columns=list(COLUMNS)).astype({"date": "datetime64[s]"})
    rows = pd.concat(filled, ignore_index=True)
    return rows.sort_values(list(COLUMNS[:-1]), kind="stable", ignore_index=True)
