"""How far numbers that count records may still move, against the truth of the nights that saw them.

A second implementation of the steps from night to night, over the whole company's days. On the
nights of conftest little moves but ads, and one vendor is down; on those of `late_nights` leads,
answers and a deal come late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import Any

import duckdb
import pandas as pd
import pytest

from sandbox.truth import company_of
from tests.end_to_end.conftest import SCALE, START, Left
from tests.end_to_end.expected import LAG_DAYS, Rates
from tests.end_to_end.nights import installed, small_settings

# What is above and below the line, and for how many days its vendor rewrites each; what was spent
# for a customer is older than that.
COUNTED: Mapping[str, tuple[str, int, str, int]] = {
    "F05": ("won_amount", 7, "spend_micros", 3),
    "F07": ("spend_micros", 3, "paid_leads", 7),
    "F08": ("spend_before", 0, "new_customers", 7),
    "C01": (
        "nps_promoters - nps_detractors",
        3,
        "nps_promoters + nps_passives + nps_detractors",
        3,
    ),
    "C02": ("csat_satisfied", 3, "csat_answers", 3),
    "C05": ("surveys_finished", 3, "surveys_started", 3),
    "C06": ("new_customers", 7, "", 0),
    "P05": ("mql_passed", 90, "mql_cohort", 90),
}
PERIODS = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q"}
LATE_START, LATE_NIGHT = date(2026, 5, 20), date(2026, 8, 30)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a night's truth was, and, of the last one, what it made of it."""

    day: date
    truth: pd.DataFrame
    expected: pd.DataFrame
    views: dict[str, pd.DataFrame]


Days = dict[date, Decimal]
Nights = list[tuple[Left | Seen, Left | Seen]]


def days_of(
    left: Left | Seen, terms: str, segment_type: str, segment: str, account: str | None = None
) -> Days:
    """What a night's truth says of each day, in euros; `-` takes a component off."""
    rates, found = Rates("EUR"), dict[date, Decimal]()
    sign = 1
    for word in terms.split():
        if word in "+-":
            sign = 1 if word == "+" else -1
            continue
        lag = LAG_DAYS if word == "spend_before" else 0
        rows = left.truth[
            (left.truth["kpi_component"] == ("spend_micros" if lag else word))
            & (left.truth["segment_type"] == segment_type)
            & ((left.truth["segment"] == segment) | (segment == "company"))
            & ((left.truth["account_id"] == account) | (account is None))
        ]
        for row in rows.itertuples():
            day = row.date.date()
            euros = rates.on(day, row.currency_code) if row.currency_code else 1
            day += timedelta(days=lag)
            found[day] = found.get(day, Decimal(0)) + sign * Decimal(row.value) * euros
    return found


def movement(pairs: Iterable[tuple[int, Decimal, Decimal]], window: int) -> dict[int, Decimal]:
    """By age, from (age, before, after): steps multiplied to the end of the window. Nothing at an
    age is held against the mean of all; an age that was never seen leaves younger ones out."""
    seen = list(pairs)
    usual = sum((abs(before) for _, before, _ in seen), Decimal(0)) / max(len(seen), 1)
    found: dict[int, Decimal] = {}
    factor = Decimal(1)
    for age in reversed(range(window)):
        at_age = [(before, after) for other, before, after in seen if other == age]
        there = sum((abs(before) for before, _ in at_age), Decimal(0)) or len(at_age) * usual
        if not there:
            break
        changed = sum((abs(after - before) for before, after in at_age), Decimal(0))
        factor *= 1 + changed / there
        found[age] = factor - 1
    return found


def part_moves(nights: Nights, terms: str, window: int) -> dict[int, Decimal]:
    """As the accounts' days moved; accounts that have nothing of it change no sum but `usual`."""
    component = terms.split()[0] if terms else ""
    pairs = []
    for night, next_night in nights:
        rows = night.truth[night.truth["kpi_component"] == component]
        for account in sorted(set(rows["account_id"])):
            before, after = (
                days_of(left, terms, "company", "company", account) for left in (night, next_night)
            )
            for age in range(window):
                day = night.day - timedelta(days=age)
                pairs.append((age, before.get(day, Decimal(0)), after.get(day, Decimal(0))))
    return movement(pairs, window)


def share(days: Days, known: Mapping[int, Decimal], window: int, row: Any, on: date) -> Any:
    """By which share of itself a part of a period may move; None where that is not known."""
    within = [
        row.period_start.date() + timedelta(days=number)
        for number in range((row.period_end - row.period_start).days + 1)
    ]
    young = [day for day in within if 0 <= (on - day).days < window and day >= START]
    if any((on - day).days not in known for day in young):
        return None
    moved = sum(
        (abs(days.get(day, Decimal(0))) * known[(on - day).days] for day in young), Decimal(0)
    )
    total = sum((days.get(day, Decimal(0)) for day in within if day <= on), Decimal(0))
    return moved / abs(total) if total else None


def expected(
    left: Left | Seen, kpi: str, values: pd.DataFrame, nights: Nights, nights_of_ads: Nights
) -> list[Any]:
    """What each of the values of a night may move by, after these pairs of nights."""
    above, above_window, below, below_window = COUNTED[kpi]
    known = [
        part_moves(nights_of_ads if terms.startswith("spend") else nights, terms, window)
        for terms, window in ((above, above_window), (below, below_window))
    ]
    found: list[Any] = []
    for row in values.itertuples():
        place = row.segment_type, row.segment
        on_top = share(days_of(left, above, *place), known[0], above_window, row, left.day)
        beneath = Decimal(0)
        if below:
            beneath = share(days_of(left, below, *place), known[1], below_window, row, left.day)
        unknown = on_top is None or beneath is None or beneath >= 1
        found.append(None if unknown else float((1 + on_top) / (1 - beneath) - 1))
    return found


def moving(left: Left | Seen, kpi: str) -> pd.DataFrame:
    values = left.views["kpi_values"]
    return values[
        (values["kpi_id"] == kpi)
        & (values["dq_state"] == "provisional")
        & (values["value"] != 0)
        & values["value"].notna()
    ]


def differing(values: pd.DataFrame, moves: list[Any]) -> list[Any]:
    return [
        (row.kpi_id, row.period_type, row.period_start.date(), row.segment, row.may_move_by, move)
        for row, move in zip(values.itertuples(), moves, strict=True)
        if pd.isna(row.may_move_by) != (move is None)
        or (move is not None and abs(row.may_move_by - move) > 0.000_06)
    ]


@pytest.mark.parametrize("kpi", COUNTED)
def test_from_the_second_night_on_it_is_known_how_far(kpi: str, first: Left, second: Left) -> None:
    values = moving(second, kpi)
    moves = expected(second, kpi, values, [(first, second)], [(first, second)])
    assert differing(values, moves) == []
    company = values["segment_type"] == "company"
    assert values.loc[company, "may_move_by"].notna().all()
    assert company.sum() > 3
    if kpi in ("F05", "F07"):
        assert max(moves) > 0


@pytest.mark.parametrize("kpi", COUNTED)
def test_a_night_that_did_not_come_teaches_nothing(
    kpi: str, first: Left, second: Left, third: Left, fourth: Left
) -> None:
    """HubSpot's third is missing, so of its records only the first two nights follow each other."""
    values = moving(fourth, kpi)
    every = [(first, second), (second, third), (third, fourth)]
    seen = every if kpi.startswith("C0") and kpi != "C06" else every[:1]
    assert differing(values, expected(fourth, kpi, values, seen, every)) == []


@pytest.fixture(scope="module")
def late_nights(tmp_path_factory: pytest.TempPathFactory) -> list[Seen]:
    """Four nights of CRM and surveys alone; the last one is transformed, none is published."""
    settings = small_settings(LATE_START, SCALE)
    # Without ads, and with dollars still one of the company's currencies.
    accounts = tuple(
        each.model_copy(update={"currency": "USD"}) if each.source == "typeform" else each
        for each in settings.accounts
        if each.source != "google_ads"
    )
    company = company_of(settings)
    settings = settings.model_copy(update={"accounts": accounts})
    found: list[Seen] = []
    with installed(tmp_path_factory.mktemp("late"), settings, company) as installation:
        for number in range(4):
            night = installation.night(LATE_NIGHT + timedelta(days=number))
            assert not installation.ingest(night)
            night.load()
            day = night.clock.as_of_date
            found.append(Seen(day, installation.truth(day), installation.expected(day), {}))
        report = night.transform()
        assert report.succeeded, report.failures or report.error
        with duckdb.connect(str(installation.home.warehouse), read_only=True) as warehouse:
            views = found[-1].views
            views["kpi_values"] = warehouse.execute("from marts.fct_kpi_values").df()
            views["movements"] = warehouse.execute(
                "from intermediate.int_scorecard__movements"
            ).df()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kpi", COUNTED)
def test_late_records_say_how_far_days_of_their_age_move(kpi: str, late_nights: list[Seen]) -> None:
    movements = late_nights[-1].views["movements"]
    above, above_window, below, below_window = COUNTED[kpi]
    parts = [("numerator", above, above_window), ("denominator", below, below_window)]
    largest = Decimal(0)
    for part, terms, window in parts:
        if not terms or terms.startswith("spend"):
            continue
        known = part_moves(list(pairwise(late_nights)), terms, window)
        rows = movements[(movements["kpi_id"] == kpi) & (movements["part"] == part)]
        found = {
            int(row.age): float(row.movement) for row in rows.itertuples() if pd.notna(row.movement)
        }
        assert found.keys() == known.keys()
        assert all(abs(found[age] - float(known[age])) < 1e-5 for age in known)
        largest = max(largest, *known.values())
    assert largest > 0 or kpi in ("C06", "F08")


@pytest.mark.slow
@pytest.mark.parametrize("kpi", ["C01", "C02", "C05", "C06", "P05"])
def test_values_move_as_late_records_did(kpi: str, late_nights: list[Seen]) -> None:
    """Of the company: without ads no channel is known by its campaign."""
    last, nights = late_nights[-1], list(pairwise(late_nights))
    values = moving(last, kpi)
    values = values[values["segment_type"] == "company"]
    moves = expected(last, kpi, values, nights, nights)
    assert differing(values, moves) == []
    assert kpi == "C06" or max(move for move in moves if move is not None) > 0


@pytest.mark.slow
def test_a_median_moves_as_medians_through_a_day_did(late_nights: list[Seen]) -> None:
    def through(left: Seen, period: str, end: date) -> Decimal | None:
        start = pd.Timestamp(end).to_period(period).start_time.date()
        rows = left.truth[left.truth["kpi_component"] == "won_deal_days"]
        days = [Decimal(row.value) for row in rows.itertuples() if start <= row.date.date() <= end]
        return median(days) if days else None

    known = {}
    for kind, period in PERIODS.items():
        pairs = []
        for night, next_night in pairwise(late_nights):
            for age in range(7):
                end = night.day - timedelta(days=age)
                before, after = (through(left, period, end) for left in (night, next_night))
                if before is not None and after is not None:
                    pairs.append((age, before, after))
        known[kind] = movement(pairs, 7)
    assert_wholes(late_nights[-1], "P07", known)


@pytest.mark.slow
def test_a_velocity_moves_as_velocities_through_a_day_did(late_nights: list[Seen]) -> None:
    def through(left: Seen, end: date) -> Decimal:
        return Decimal(left.expected.loc[("P08", "day", end, "company", "company"), "value"])

    pairs = []
    for night, next_night in pairwise(late_nights):
        ends = {age: night.day - timedelta(days=age) for age in range(7)}
        pairs += [(age, through(night, end), through(next_night, end)) for age, end in ends.items()]
    known = movement(pairs, 7)
    assert max(known.values()) > 0
    assert_wholes(late_nights[-1], "P08", dict.fromkeys(PERIODS, known))


def assert_wholes(left: Seen, kpi: str, known: Mapping[str, Mapping[int, Decimal]]) -> None:
    values = moving(left, kpi)
    moves = []
    for row in values.itertuples():
        age = (left.day - min(row.period_end.date(), left.day)).days
        move = known[row.period_type].get(age)
        moves.append(None if move is None else float(move))
    assert differing(values, moves) == []
    is_running = values["period_type"].isin(["month", "quarter"])
    assert values.loc[is_running, "may_move_by"].notna().sum() >= 2
