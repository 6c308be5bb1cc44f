"""What values may not be, said a second time beside the suites: by rule, whether a row fails it.

A value that is not there fails none, but for `measures_present`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from ingest.stream import Stream
from tests.expectations.conftest import NIGHT
from tests.fuzz.meaning import Number

Values = Mapping[str, Any]
Fails = Callable[[Values], bool]

_BERLIN = ZoneInfo("Europe/Berlin")
_FOREVER = datetime(2000, 1, 1, tzinfo=UTC)
_SCALES = {"nps": (0, 10), "opinion_scale": (0, 10), "rating": (1, 10)}
_COLUMNS = {
    "clicks_within_impressions": ("impressions", "clicks"),
    "created_before_updated": ("created_at", "updated_at"),
    "known_currency": ("currency_code",),
    "possible_dates": ("created_at", "updated_at", "archived_at"),
    "possible_deal_dates": ("created_date", "close_date"),
    "possible_submission_date": ("submitted_at",),
    "possible_landing_date": ("landed_at",),
    "stages_listed": ("stages",),
    "answers_listed": ("answers",),
    "score_on_scale": ("answers",),
    "associated_list": ("associated",),
    "only_completed": ("response_type",),
    "own_account": ("account_id",),
    "agreed_currency": ("currency_code",),
    "agreed_time_zone": ("time_zone",),
    "own_currency": ("currency_code",),
    "own_time_zone": ("time_zone",),
}
_MEASURES = ("impressions", "clicks", "cost_micros", "conversions", "conversions_value")
_LIFECYCLE = ("lead", "marketing_qualified", "sales_qualified", "opportunity", "customer")


def value_rules(source: str, stream: str, horizon: datetime) -> dict[str, Fails]:
    """`horizon`: no moment of a record lies behind it."""
    match f"{source}.{stream}":
        case "google_ads.customers":
            return _CUSTOMERS
        case "google_ads.campaign_daily" | "google_ads.ad_group_daily" | "google_ads.ad_daily":
            return _OWN | _DAILY
        case "google_ads.campaigns" | "google_ads.ad_groups" | "google_ads.ads":
            return _OWN
        case "hubspot.contacts":
            names = [f"{name}_at" for name in _LIFECYCLE]
            return _record(horizon) | {"possible_lifecycle_dates": _outside(names, horizon)}
        case "hubspot.companies":
            return _record(horizon)
        case "hubspot.deals":
            return _record(horizon) | _deal(horizon)
        case "hubspot.pipelines":
            return {"stages_listed": lambda row: row["stages"] == [] or _is_no_list(row, "stages")}
        case "hubspot.deal_contacts" | "hubspot.deal_companies":
            return {"associated_list": lambda row: _is_no_list(row, "associated")}
        case "typeform.responses":
            landed = {"possible_landing_date": _outside(["landed_at"], horizon)}
            return (
                _RESPONSES
                | landed
                | {"possible_submission_date": _outside(["submitted_at"], horizon)}
            )
        case "typeform.partial_responses":
            return {"possible_landing_date": _outside(["landed_at"], horizon)}
    return {}


def columns_of(stream: Stream, rule: str) -> tuple[str, ...]:
    """The columns at fault where a row fails this rule, in the stream's order."""
    if rule == "measures_present":
        return _MEASURES
    if rule == "possible_lifecycle_dates":
        return tuple(f"{name}_at" for name in _LIFECYCLE)
    if rule == "one_row_a_key":
        return tuple(column.name for column in stream.columns if column.name in stream.key)
    if rule == "within_window":
        return (stream.date_column,) if stream.date_column else ("submitted_at",)
    for end in ("_present", "_not_negative"):
        if rule.endswith(end):
            return (rule.removesuffix(end),)
    return _COLUMNS[rule]


def _differs(column: str, wanted: str) -> Fails:
    return lambda row: row[column] is not None and row[column] != wanted


def _negative(column: str) -> Fails:
    return lambda row: row[column] is not None and row[column] < 0


def _outside(columns: list[str], horizon: datetime) -> Fails:
    return lambda row: any(
        row[name] is not None and not _FOREVER <= row[name] <= horizon for name in columns
    )


def _after(first: str, second: str) -> Fails:
    return lambda row: None not in (row[first], row[second]) and row[first] > row[second]


def _is_no_list(row: Values, column: str) -> bool:
    return row[column] is not None and not isinstance(row[column], list)


def _record(horizon: datetime) -> dict[str, Fails]:
    return {
        "created_before_updated": _after("created_at", "updated_at"),
        "possible_dates": _outside(["created_at", "updated_at", "archived_at"], horizon),
    }


def _deal(horizon: datetime) -> dict[str, Fails]:
    created = _outside(["created_date"], horizon)
    closed = _outside(["close_date"], horizon.replace(year=horizon.year + 10))
    return {
        "amount_not_negative": _negative("amount"),
        "known_currency": _differs("currency_code", "EUR"),
        "possible_deal_dates": lambda row: created(row) or closed(row),
    }


def _is_agreed_elsewhere(column: str, wanted: str) -> Fails:
    """Only account 101 stands in the settings."""
    differs = _differs(column, wanted)
    return lambda row: row["account_id"] == "101" and differs(row)


def _is_off_scale(row: Values) -> bool:
    answers = row["answers"]
    return isinstance(answers, list) and any(map(_is_score_off_scale, answers))


def _is_score_off_scale(answer: Any) -> bool:
    field = answer.get("field") if isinstance(answer, dict) else None
    scale = _SCALES.get(str(field.get("type"))) if isinstance(field, dict) else None
    if scale is None:
        return False
    score = answer.get("number")
    try:
        number = score.exact if isinstance(score, Number) else Decimal(score)
    except (InvalidOperation, TypeError, ValueError):
        return answer.get("type") == "number"
    return not (scale[0] <= number <= scale[1] and number == number.to_integral_value())


_OWN = {
    "own_account": _differs("account_id", "101"),
    "own_currency": _differs("currency_code", "EUR"),
    "own_time_zone": _differs("time_zone", "Europe/Berlin"),
}
_DAILY = {
    "measures_present": lambda row: None in [row[name] for name in _MEASURES],
    "clicks_within_impressions": _after("clicks", "impressions"),
    "within_window": lambda row: row["report_date"] not in (None, NIGHT),
    **{f"{name}_not_negative": _negative(name) for name in _MEASURES},
}
_CUSTOMERS = {
    "agreed_currency": _is_agreed_elsewhere("currency_code", "EUR"),
    "agreed_time_zone": _is_agreed_elsewhere("time_zone", "Europe/Berlin"),
    "level_not_negative": _negative("level"),
}
_RESPONSES = {
    "score_on_scale": _is_off_scale,
    "answers_listed": lambda row: _is_no_list(row, "answers"),
    "only_completed": _differs("response_type", "completed"),
    "within_window": lambda row: (
        row["submitted_at"] is not None and row["submitted_at"].astimezone(_BERLIN).date() != NIGHT
    ),
}
