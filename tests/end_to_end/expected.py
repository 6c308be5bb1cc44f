"""What every published KPI must be, from the company's own truth: plain pandas and Decimals.

A second implementation of the KPIs' meaning. It knows the truth, the exchange rates and the gate's
verdicts, and nothing of the warehouse or of dbt's models.
"""

from __future__ import annotations

import csv
import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any, Final

import pandas as pd

from boscard.home import PROJECT

KEY: Final = ("kpi_id", "period_type", "period_start", "segment_type", "segment")
PERIODS: Final = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q"}

# The whole company's figures, by channel and by campaign. `+` adds components, `-` takes them off.
_COMPANY: Final = ("company",)
_CHANNEL: Final = ("company", "channel")
_CAMPAIGN: Final = ("company", "channel", "campaign")
_RATIOS: Final[dict[str, tuple[str, str, int, tuple[str, ...]]]] = {
    "F04": ("conversions_value", "spend", 1, _CAMPAIGN),
    "F05": ("won_amount", "spend", 1, _COMPANY),
    "F07": ("spend", "paid_leads", 1, _CHANNEL),
    "F08": ("spend_before", "new_customers", 1, _CHANNEL),
    "C01": (
        "nps_promoters - nps_detractors",
        "nps_promoters + nps_passives + nps_detractors",
        100,
        _COMPANY,
    ),
    "C02": ("csat_satisfied", "csat_answers", 100, _COMPANY),
    "C05": ("surveys_finished", "surveys_started", 100, _COMPANY),
    "P01": ("clicks", "impressions", 100, _CAMPAIGN),
    "P04": ("conversions", "clicks", 100, _CAMPAIGN),
    "P05": ("mql_passed", "mql_cohort", 100, _CHANNEL),
    "L05": (
        "pulse_promoters - pulse_detractors",
        "pulse_promoters + pulse_passives + pulse_detractors",
        100,
        _COMPANY,
    ),
    "L07": ("weight_passed", "weight_evaluated", 100, _COMPANY),
}
_SUMS: Final = {"F01": ("spend", _CAMPAIGN), "C06": ("new_customers", _CHANNEL)}
SOURCES: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("F01", "F04", "P01", "P04"), ("google_ads",)),
    **dict.fromkeys(("F05", "F07", "F08"), ("google_ads", "hubspot")),
    **dict.fromkeys(("C06", "P05", "P07", "P08"), ("hubspot",)),
    **dict.fromkeys(("C01", "C02", "C05", "L05"), ("typeform",)),
    "L07": (),
}
MONEY: Final = ("F01", "F04", "F05", "F07", "F08", "P08")
LAG_DAYS, WINDOW_DAYS, COHORT_DAYS, FEWEST_ANSWERS = 30, 90, 90, 5
WEIGHTS: Final = {"info": 1, "warning": 2, "critical": 3}


class Rates:
    """Exchange rates into the reporting currency by day, from the seed file."""

    def __init__(self, reporting_currency: str, path: Path | None = None) -> None:
        self._reporting_currency = reporting_currency
        self._rates: dict[str, list[tuple[str, Decimal]]] = {}
        path = path or PROJECT / "dbt_project" / "seeds" / "fx_rates.csv"
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["to_currency"] == reporting_currency:
                    rate = (row["valid_from"], Decimal(row["rate"]))
                    self._rates.setdefault(row["from_currency"], []).append(rate)
        for rates in self._rates.values():
            rates.sort()

    def on(self, day: date, currency: str) -> Decimal:
        """The newest rate that is valid on the day."""
        if currency == self._reporting_currency:
            return Decimal(1)
        rates = self._rates[currency]
        return rates[bisect_right(rates, day.isoformat(), key=lambda rate: rate[0]) - 1][1]


def weights_of_checks(landing: Path) -> pd.DataFrame:
    """L07's components by night, from each batch's manifest and verdict."""
    rows = []
    for path in landing.glob("*/*/*/*/verdict.json"):
        night = json.loads((path.parent / "manifest.json").read_text("utf-8"))["as_of_date"]
        for result in json.loads(path.read_text("utf-8"))["results"]:
            weight = WEIGHTS[result["severity"]]
            if result["state"] in ("pass", "fail", "error"):
                rows.append(("weight_evaluated", night, weight))
            if result["state"] == "pass":
                rows.append(("weight_passed", night, weight))
    frame = pd.DataFrame(rows, columns=["component", "date", "amount"])
    summed = frame.groupby(["component", "date"], as_index=False)["amount"].sum()
    return summed.assign(
        date=pd.to_datetime(summed["date"]).astype("datetime64[s]"),
        segment_type="company",
        segment="company",
        amount=summed["amount"].map(Decimal),
    )


def expected_values(
    truth: pd.DataFrame,
    checks: pd.DataFrame,
    rates: Rates,
    *,
    start: date,
    as_of: date,
    cuts: Mapping[str, date] | None = None,
) -> pd.DataFrame:
    """Every row of `kpi_values` that must exist, by KEY: numerator, denominator, value, and why
    there is none.

    `truth` is that of sandbox.truth with the same `cuts`; `checks` are weights_of_checks. Parts are
    Decimals, the value is a float; all are None where nothing is known.
    """
    through = {
        kpi: min([as_of, *((cuts or {}).get(source, as_of) for source in sources)])
        for kpi, sources in SOURCES.items()
    }
    components = pd.concat([_in_reporting_currency(truth, rates), checks], ignore_index=True)
    lagged = components[components["component"] == "spend"]
    lagged = lagged.assign(
        component="spend_before", date=lagged["date"] + pd.Timedelta(days=LAG_DAYS)
    )
    components = pd.concat([components, lagged], ignore_index=True)
    components = components[components["date"] <= pd.Timestamp(as_of)]
    calendar = _calendar(start, as_of)
    parts = []
    for kpi, (above, below, scale, segments) in _RATIOS.items():
        daily = pd.concat(
            [
                _signed(components, above, segments, "numerator"),
                _signed(components, below, segments, "denominator"),
            ]
        )
        if kpi == "F08":
            daily = daily[daily["date"] >= pd.Timestamp(start + timedelta(days=LAG_DAYS))]
        parts.append(_by_period(kpi, daily, calendar, through[kpi], start, scale))
    for kpi, (component, segments) in _SUMS.items():
        daily = _signed(components, component, segments, "numerator")
        parts.append(_by_period(kpi, daily, calendar, through[kpi], start, None))
    parts.append(_sales_cycle(truth, calendar, through["P07"]))
    parts.append(_velocity(truth, rates, calendar, through["P08"]))
    values = _with_maturity(pd.concat(parts, ignore_index=True), calendar, through["P05"])
    return values.set_index(list(KEY)).sort_index()


def _with_maturity(values: pd.DataFrame, calendar: pd.DataFrame, through: date) -> pd.DataFrame:
    """With `matures_on`, the day from which a cohort of P05 is whole, and `is_mature`."""
    ends = values.merge(_periods(calendar), how="left")["period_end"]
    matures_on = [
        end + timedelta(days=COHORT_DAYS) if kpi == "P05" else None
        for kpi, end in zip(values["kpi_id"], ends, strict=True)
    ]
    return values.assign(
        matures_on=pd.Series(pd.to_datetime(matures_on), index=values.index),
        is_mature=[day is None or day <= through for day in matures_on],
    )


def _in_reporting_currency(truth: pd.DataFrame, rates: Rates) -> pd.DataFrame:
    """Components that add up over days: component, date, segment_type, segment, amount."""
    rows = truth[truth["segment_type"] != "deal"]
    amounts = [
        Decimal(row.value)
        * (Decimal("0.000001") if row.kpi_component == "spend_micros" else 1)
        * (rates.on(row.date.date(), row.currency_code) if row.currency_code else 1)
        for row in rows.itertuples()
    ]
    is_company = rows["segment_type"] == "company"
    named = rows.assign(
        component=rows["kpi_component"].replace("spend_micros", "spend"),
        segment=rows["segment"].mask(is_company, "company"),
        amount=pd.Series(amounts, index=rows.index, dtype=object),
    )
    keys = ["component", "date", "segment_type", "segment"]
    return named.groupby(keys, as_index=False)["amount"].sum()


def _signed(
    components: pd.DataFrame, terms: str, segments: Iterable[str], part: str
) -> pd.DataFrame:
    """The rows of `a - b + c` as amounts of one part of a KPI."""
    words = terms.split()
    pairs = zip(["+", *words[1::2]], words[::2], strict=True)
    signs = {word: -1 if sign == "-" else 1 for sign, word in pairs}
    rows = components[
        components["component"].isin(signs) & components["segment_type"].isin(segments)
    ]
    amount = rows["amount"] * rows["component"].map(signs).astype("object")  # there may be none
    return rows[["date", "segment_type", "segment"]].assign(part=part, amount=amount)


def _calendar(start: date, as_of: date) -> pd.DataFrame:
    """Each day with each period that has it, whole periods even where the history cuts them."""
    days = pd.Series(pd.date_range(start, as_of, unit="s"))
    parts = []
    for period_type, frequency in PERIODS.items():
        periods = days.dt.to_period(frequency)
        parts.append(
            pd.DataFrame(
                {
                    "date": days,
                    "period_type": period_type,
                    "period_start": periods.dt.start_time.dt.date,
                    "period_end": periods.dt.end_time.dt.date,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _periods(calendar: pd.DataFrame) -> pd.DataFrame:
    return calendar[["period_type", "period_start", "period_end"]].drop_duplicates()


def _by_period(
    kpi: str,
    daily: pd.DataFrame,
    calendar: pd.DataFrame,
    through: date,
    start: date,
    scale: int | None,
) -> pd.DataFrame:
    """A KPI whose parts add up. Without `scale` it is a sum and has no denominator."""
    observed = daily[["segment_type", "segment"]]
    company = pd.DataFrame([("company", "company")], columns=observed.columns)
    segments = pd.concat([observed, company]).drop_duplicates()
    index = _periods(calendar).merge(segments, how="cross")
    dated = daily[daily["date"] <= pd.Timestamp(through)].merge(calendar, on="date")
    keys = ["period_type", "period_start", "segment_type", "segment"]
    sums = dated.groupby([*keys, "part"])["amount"].sum().to_dict()
    data_from = start + timedelta(days=LAG_DAYS if kpi == "F08" else 0)
    rows = []
    for row in index.itertuples(index=False):
        key = (row.period_type, row.period_start, row.segment_type, row.segment)
        above: Any = sums.get((*key, "numerator"), Decimal(0))
        below: Any = sums.get((*key, "denominator"), Decimal(0)) if scale else None
        reason = None
        if row.period_end < data_from:
            reason = "too early"
        elif row.period_start > through:
            reason = "not loaded"
        elif kpi == "L05" and (row.period_type != "quarter" or below < FEWEST_ANSWERS):
            reason = "suppressed"
        elif scale and not below:
            reason = "nothing to count"
        if reason in ("too early", "not loaded", "suppressed"):
            above = below = None
        value = None if reason else float(scale * above / below if scale else above)
        rows.append((kpi, *key, above, below, value, reason))
    return _frame(rows)


def _frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    columns = [*KEY, "numerator", "denominator", "value", "no_data_reason"]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def _each_deal(truth: pd.DataFrame, component: str) -> list[tuple[date, Any, str]]:
    rows = truth[truth["kpi_component"] == component]
    return [(row.date.date(), row.value, row.currency_code) for row in rows.itertuples()]


def _sales_cycle(truth: pd.DataFrame, calendar: pd.DataFrame, through: date) -> pd.DataFrame:
    """P07: the median of the won deals of each period."""
    deals = _each_deal(truth, "won_deal_days")
    rows = []
    for row in _periods(calendar).itertuples(index=False):
        end = min(row.period_end, through)
        days = [Decimal(value) for day, value, _ in deals if row.period_start <= day <= end]
        reason = None if days else "nothing to count"
        if row.period_start > through:
            reason = "not loaded"
        middle = median(days) if days else None
        value = None if middle is None else float(middle)
        key = ("P07", row.period_type, row.period_start, "company", "company")
        rows.append((*key, middle, None, value, reason))
    return _frame(rows)


def _velocity(
    truth: pd.DataFrame, rates: Rates, calendar: pd.DataFrame, through: date
) -> pd.DataFrame:
    """P08 as it stood on the last day of each period, or on the last day with data."""
    is_company = truth["segment_type"] == "company"
    counts: dict[str, list[tuple[date, int]]] = {}
    for row in truth[is_company].itertuples():
        counts.setdefault(row.kpi_component, []).append((row.date.date(), int(row.value)))
    amounts = [
        (day, value * rates.on(day, currency))
        for day, value, currency in _each_deal(truth, "won_deal_amount")
    ]
    cycles = _each_deal(truth, "won_deal_days")
    open_deals = dict(counts.get("open_qualified_deals", []))

    def at(end: date) -> tuple[Decimal | None, Decimal | None]:
        since = end - timedelta(days=WINDOW_DAYS - 1)
        won = sum(n for day, n in counts.get("won_deals", []) if since <= day <= end)
        lost = sum(n for day, n in counts.get("lost_deals", []) if since <= day <= end)
        paid = [amount for day, amount in amounts if since <= day <= end]
        days = [Decimal(value) for day, value, _ in cycles if since <= day <= end]
        cycle = median(days) if days else None
        if not won + lost or not paid:
            return None, cycle
        mean = sum(paid, Decimal(0)) / len(paid)
        return open_deals.get(end, 0) * Decimal(won) / (won + lost) * mean, cycle

    rows = []
    for row in _periods(calendar).itertuples(index=False):
        key = ("P08", row.period_type, row.period_start, "company", "company")
        if row.period_start > through:
            rows.append((*key, None, None, None, "not loaded"))
            continue
        above, below = at(min(row.period_end, through))
        known = above is not None and bool(below)
        value = float(above / below) if known else None
        rows.append((*key, above, below, value, None if known else "nothing to count"))
    return _frame(rows)


def differences(published: pd.DataFrame, expected: pd.DataFrame) -> list[str]:
    """What of `kpi_values` is not as expected, a sentence a row; nothing means equal.

    Counts must be equal, money (converted day by day, rounded to a millionth) to a relative
    millionth, values of what is not money to a billionth.
    """
    found = published.assign(period_start=published["period_start"].dt.date).set_index(list(KEY))
    found = found.sort_index()
    missing = expected.index.difference(found.index)
    surplus = found.index.difference(expected.index)
    said = [f"missing: {key}" for key in missing] + [f"too many: {key}" for key in surplus]
    common = expected.index.intersection(found.index)
    for column in ("numerator", "denominator", "value"):
        ours = pd.to_numeric(expected.loc[common, column])
        theirs = pd.to_numeric(found.loc[common, column])
        is_money = common.get_level_values("kpi_id").isin(MONEY)
        tolerance = (ours.abs() * 1e-9).mask(is_money, (ours.abs() * 1e-6).clip(lower=2e-6))
        is_wrong = (ours.isna() != theirs.isna()) | ((ours - theirs).abs() > tolerance)
        said += [f"{column} of {key} is {theirs[key]}, not {ours[key]}" for key in common[is_wrong]]
    for column in ("no_data_reason", "is_mature", "matures_on"):
        ours, theirs = (frame.loc[common, column].astype(object) for frame in (expected, found))
        is_wrong = (ours != theirs) & ~(ours.isna() & theirs.isna())
        said += [f"{column} of {key} is {theirs[key]}, not {ours[key]}" for key in common[is_wrong]]
    return said
