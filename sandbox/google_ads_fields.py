"""The Google Ads fields and resources of the sandbox, and which queries over them are allowed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from sandbox.gaql import Condition, Query, QueryError

Kind = Literal["id", "int64", "double", "text", "enum", "boolean", "date"]


@dataclass(frozen=True, slots=True)
class Field:
    """One selectable field: its name in a query, its place and type in the JSON."""

    name: str
    kind: Kind

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(camel(part) for part in self.name.split("."))

    @property
    def resource(self) -> str:
        return self.name.partition(".")[0]


def camel(name: str) -> str:
    """snake_case as in a query to lowerCamelCase as in the JSON."""
    return re.sub(r"_([a-z0-9])", lambda found: found.group(1).upper(), name)


FIELDS: dict[str, Field] = {
    field.name: field
    for kind, names in {
        "id": (
            *(
                "customer.id",
                "customer_client.id",
                "campaign.id",
                "ad_group.id",
                "ad_group_ad.ad.id",
            ),
        ),
        "text": (
            *("customer.resource_name", "customer.descriptive_name", "customer.currency_code"),
            *(
                "customer.time_zone",
                "customer_client.resource_name",
                "customer_client.client_customer",
            ),
            *("customer_client.descriptive_name", "customer_client.currency_code"),
            *("customer_client.time_zone", "campaign.resource_name", "campaign.name"),
            *(
                "campaign.start_date_time",
                "ad_group.resource_name",
                "ad_group.name",
                "ad_group.campaign",
            ),
            *("ad_group_ad.resource_name", "ad_group_ad.ad.resource_name", "ad_group_ad.ad_group"),
        ),
        "enum": (
            *("customer.status", "customer_client.status", "campaign.status"),
            *("campaign.advertising_channel_type", "ad_group.status", "ad_group_ad.status"),
            "ad_group_ad.ad.type",
        ),
        "boolean": ("customer.manager", "customer_client.manager", "customer_client.hidden"),
        "date": ("segments.date",),
        "int64": (
            *(
                "customer_client.level",
                "metrics.impressions",
                "metrics.clicks",
                "metrics.cost_micros",
            ),
            "metrics.interactions",
        ),
        "double": (
            *("metrics.conversions", "metrics.conversions_value", "metrics.all_conversions"),
            *("metrics.all_conversions_value", "metrics.ctr", "metrics.average_cpc"),
            "metrics.cost_per_conversion",
        ),
    }.items()
    for field in (Field(name, kind) for name in names)  # type: ignore[arg-type]
}

PARENTS: dict[str, tuple[str, ...]] = {
    "customer": (),
    "customer_client": ("customer",),
    "campaign": ("customer",),
    "ad_group": ("customer", "campaign"),
    "ad_group_ad": ("customer", "campaign", "ad_group"),
}
SEGMENT = "segments.date"


@dataclass(frozen=True, slots=True)
class Days:
    """The finite span of days a query asks for, both ends included."""

    first: date
    last: date


def check(query: Query, *, is_manager: bool, today: date) -> Days | None:
    """Refuse what Google refuses; the span of days the query asks for, None without one.

    `today` is in the account's own time zone. Raises QueryError.
    """
    resource = query.resource
    if resource not in PARENTS:
        raise QueryError(
            "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", f"Error in query: unknown resource {resource}."
        )
    for name, clause in _mentioned(query):
        _check_field(name, clause, resource)
    has_metrics = any(name.startswith("metrics.") for name, _ in _mentioned(query))
    if has_metrics and is_manager:
        raise QueryError(
            "REQUESTED_METRICS_FOR_MANAGER",
            "Metrics cannot be requested for a manager account. To retrieve metrics, issue "
            "separate requests against each client account under the manager account.",
        )
    referable = {*query.select, SEGMENT}
    for ordering in query.order_by:
        if ordering.field not in query.select and not ordering.field.startswith(f"{resource}."):
            _not_selected(ordering.field, "ORDER BY")
    for condition in query.where:
        if condition.field.startswith("segments.") and condition.field not in referable:
            _not_selected(condition.field, "WHERE")
    days = _days(query, today)
    if SEGMENT in query.select and days is None:
        raise QueryError(
            "EXPECTED_FILTERS_ON_DATE_RANGE",
            "The query has segments.date in its SELECT clause: it needs a finite date range.",
        )
    return days


def _mentioned(query: Query) -> list[tuple[str, str]]:
    return [
        *((name, "SELECT") for name in query.select),
        *((condition.field, "WHERE") for condition in query.where),
        *((ordering.field, "ORDER_BY") for ordering in query.order_by),
    ]


def _check_field(name: str, clause: str, resource: str) -> None:
    field = FIELDS.get(name)
    if field is None:
        raise QueryError("UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{name}'.")
    place = "WHERE" if clause == "WHERE" else "SELECT"
    if resource == "customer_client" and field.resource in ("metrics", "segments"):
        family = "METRIC" if field.resource == "metrics" else "SEGMENT"
        raise QueryError(
            f"PROHIBITED_{family}_IN_SELECT_OR_WHERE_CLAUSE",
            f"Cannot select or filter on '{name}' since {resource} has none.",
        )
    if field.resource not in ("metrics", "segments", resource, *PARENTS[resource]):
        raise QueryError(
            f"PROHIBITED_RESOURCE_TYPE_IN_{place}_CLAUSE",
            f"Cannot use '{name}': {field.resource} cannot be joined to {resource}.",
        )


def _not_selected(name: str, clause: str) -> None:
    raise QueryError(
        "EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE",
        f"The field '{name}' is used in {clause} and must be in the SELECT clause.",
    )


def _days(query: Query, today: date) -> Days | None:
    first: date | None = None
    last: date | None = None
    for condition in query.where:
        if condition.field != SEGMENT:
            continue
        span = _span(condition, today)
        first = max(filter(None, (first, span[0])), default=None)
        last = min(filter(None, (last, span[1])), default=None)
    return Days(first, last) if first is not None and last is not None else None


def _span(condition: Condition, today: date) -> tuple[date | None, date | None]:
    operator, value = condition.operator, condition.value
    if operator == "DURING":
        return _during(str(value), today)
    if operator == "BETWEEN" and isinstance(value, tuple):
        first, last = _day(value[0]), _day(value[1])
        if first > last:
            raise QueryError(
                "INVALID_VALUE_WITH_BETWEEN_OPERATOR",
                f"BETWEEN needs a first value before its last: {value}.",
            )
        return first, last
    if operator in ("=", ">", ">=", "<", "<="):
        day = _day(value)
        step = {">": timedelta(days=1), "<": timedelta(days=-1)}.get(operator, timedelta())
        return (
            day + step if operator in ("=", ">", ">=") else None,
            day + step if operator in ("=", "<", "<=") else None,
        )
    raise QueryError(
        "OPERATOR_FIELD_MISMATCH", f"Operator {operator} cannot be used with {condition.field}."
    )


def _day(value: object) -> date:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-?\d{2}-?\d{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise QueryError(
        "INVALID_DATE_FORMAT", f"Invalid date format: {value!r}; expected 'YYYY-MM-DD'."
    )


def _during(name: str, today: date) -> tuple[date, date]:
    yesterday = today - timedelta(days=1)
    month_start = today.replace(day=1)
    last_month_end = month_start - timedelta(days=1)
    spans = {
        "TODAY": (today, today),
        "YESTERDAY": (yesterday, yesterday),
        "LAST_7_DAYS": (today - timedelta(days=7), yesterday),
        "LAST_14_DAYS": (today - timedelta(days=14), yesterday),
        "LAST_30_DAYS": (today - timedelta(days=30), yesterday),
        "THIS_MONTH": (month_start, today),
        "LAST_MONTH": (last_month_end.replace(day=1), last_month_end),
    }
    if name not in spans:
        raise QueryError("INVALID_VALUE_WITH_DURING_OPERATOR", f"Invalid value for DURING: {name}.")
    return spans[name]
