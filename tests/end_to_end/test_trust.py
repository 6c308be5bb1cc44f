"""The trust beside a number, against what the company's truth said on each of the nights."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pandas as pd
import pytest

from tests.end_to_end.conftest import Left
from tests.end_to_end.expected import Rates

# What is above and below the line, and for how many days the vendor rewrites it.
MEASURED = {
    "F01": ("spend_micros", None, 3),
    "F04": ("conversions_value", "spend_micros", 30),
    "P01": ("clicks", "impressions", 3),
    "P04": ("conversions", "clicks", 30),
}
RECONCILED = {*MEASURED, "F05", "F07", "F08"}
SEGMENTS = ("company", "channel", "campaign")
Moves = dict[tuple[str, int], Decimal]
Shown = dict[tuple[date, str], pd.Series]


@pytest.fixture(scope="module")
def nights(first: Left, second: Left, third: Left, fourth: Left) -> list[Left]:
    return [first, second, third, fourth]


@pytest.fixture(scope="module")
def shown(nights: list[Left]) -> Shown:
    """By night and kind of segment."""
    return {(left.day, kind): amounts(left, kind) for left in nights for kind in SEGMENTS}


def amounts(left: Left, segment_type: str) -> pd.Series:
    """What the vendors showed that night, in euros: by component, segment, account and day."""
    rates = Rates("EUR")
    parts = {part for above, below, _ in MEASURED.values() for part in (above, below) if part}
    rows = left.truth[
        left.truth["kpi_component"].isin(parts) & (left.truth["segment_type"] == segment_type)
    ]
    days = rows["date"].dt.date
    euros = [
        Decimal(row.value) * (rates.on(day, row.currency_code) if row.currency_code else 1)
        for row, day in zip(rows.itertuples(), days, strict=True)
    ]
    segment = rows["segment"] if segment_type != "company" else "company"
    frame = rows.assign(day=days, euros=euros, segment=segment)
    return frame.groupby(["kpi_component", "segment", "account_id", "day"])["euros"].sum()


def moves(shown: Shown, seen: Iterable[Left], component: str, window: int) -> Moves:
    """By age: how far a day moves until its window is over, as one night followed another."""
    changed: dict[int, Decimal] = {}
    there: dict[int, Decimal] = {}
    days = [(left.day, shown[left.day, "company"].loc[component].to_dict()) for left in seen]
    for (night, before), (_, after) in pairwise(days):
        for key, amount in before.items():
            age = (night - key[-1]).days
            changed[age] = changed.get(age, Decimal(0)) + abs(after[key] - amount)
            there[age] = there.get(age, Decimal(0)) + amount
    found: Moves = {}
    factor = Decimal(1)
    for age in reversed(range(window)):
        if not there.get(age):
            break
        factor *= 1 + changed[age] / there[age]
        found[component, age] = factor - 1
    return found


def may_move(amounts: dict[date, Decimal], known: Moves, component: str, left: Left, window: int):
    """The share by which a sum of days may move; None where a day's move is not known."""
    total = sum(amounts.values(), Decimal(0))
    young = {day: amount for day, amount in amounts.items() if (left.day - day).days < window}
    if any((component, (left.day - day).days) not in known for day in young):
        return None
    moved = (amount * known[component, (left.day - day).days] for day, amount in young.items())
    return sum(moved, Decimal(0)) / total if total else None


def expected_moves(
    shown: Shown, nights: list[Left], kpi: str, values: pd.DataFrame
) -> list[float | None]:
    """What each of the values of the last of these nights may move by."""
    above, below, window = MEASURED[kpi]
    left = nights[-1]
    known = moves(shown, nights, above, window)
    if below:
        known |= moves(shown, nights, below, window)
    found: list[float | None] = []
    for row in values.itertuples():
        parts = []
        for component in (above, below):
            if component is None:
                parts.append(Decimal(0))
                continue
            series = shown[left.day, row.segment_type].loc[component, row.segment]
            days = series.groupby("day").sum()
            within = (days.index >= row.period_start.date()) & (days.index <= row.period_end.date())
            parts.append(may_move(days[within].to_dict(), known, component, left, window))
        if None in parts or parts[1] >= 1:
            found.append(None)
        else:
            found.append(float((1 + parts[0]) / (1 - parts[1]) - 1))
    return found


@pytest.mark.parametrize("kpi", MEASURED)
@pytest.mark.parametrize("number", [1, 2, 3], ids=["second", "third", "fourth"])
def test_a_value_may_move_as_far_as_days_of_its_age_did(
    kpi: str, number: int, nights: list[Left], shown: Shown
) -> None:
    left = nights[number]
    values = left.views["kpi_values"]
    values = values[
        (values["kpi_id"] == kpi)
        & (values["dq_state"] == "provisional")
        & values["period_type"].isin(["week", "month", "quarter"])
        & values["value"].notna()
        & (values["numerator"] > 0)
    ]
    expected = expected_moves(shown, nights[: number + 1], kpi, values)
    assert sum(move is not None for move in expected) >= 20
    differing = [
        (row.period_type, row.period_start.date(), row.segment, row.may_move_by, move)
        for row, move in zip(values.itertuples(), expected, strict=True)
        if pd.isna(row.may_move_by) != (move is None)
        or (move is not None and abs(row.may_move_by - move) > 0.000_06)
    ]
    assert differing == []


def test_on_the_first_night_it_is_not_known_how_far(first: Left) -> None:
    values = first.views["kpi_values"]
    assert values["may_move_by"].isna().all()
    moving = values[(values["kpi_id"] == "P04") & (values["dq_state"] == "provisional")]
    said = moving.loc[moving["value"].notna(), "dq_reason"]
    assert len(said) > 0
    assert said.str.endswith("How far is not known yet.").all()


def test_a_colour_that_may_change_is_withheld_and_no_other(nights: list[Left]) -> None:
    values = pd.concat([left.views["kpi_values"] for left in nights[1:]])
    scored = values[values["score"].notna() & (values["dq_state"] == "provisional")]
    could = scored["dq_reason"].str.contains("could change its colour")
    assert could.sum() > 0
    assert (scored["is_band_shown"] == ~could).all()
    assert (scored.loc[could, "may_move_by"] > 0).all()


def test_what_is_counted_is_what_the_vendors_sent(nights: list[Left]) -> None:
    for left in nights:
        values = left.views["kpi_values"]
        company = values[(values["segment_type"] == "company") & (values["numerator"] > 0)]
        told = company[company["reconciliation_difference"].notna()]
        assert set(told["kpi_id"]) == RECONCILED
        assert (told["reconciliation_difference"] == 0).all()
        assert (values["rows_coverage"].dropna() == 1).all()


def test_accounts_of_a_dead_vendor_are_missing(third: Left) -> None:
    values = third.views["kpi_values"]
    day = values[values["period_start"].eq(values["period_end"])]
    today = day[(day["period_start"].dt.date == third.day) & (day["segment_type"] == "company")]
    counted = {
        row.kpi_id: (row.accounts_present, row.accounts_expected)
        for row in today[today["kpi_id"] != "L07"].itertuples()
    }
    assert counted["F01"] == (2, 2)
    assert counted["F07"] == (2, 3)
    assert counted["C06"] == (0, 1)


def test_each_value_names_its_publication(nights: list[Left]) -> None:
    for left in nights:
        for view in ("kpi_values", "scorecard"):
            assert set(left.views[view]["publication_id"]) == {left.publication.publication_id}
