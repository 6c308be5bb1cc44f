"""HubSpot's search: filter groups, operators and their limits over the records of one type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from sandbox.hubspot_objects import Records

MOST_RESULTS = 10_000
MOST_GROUPS, MOST_FILTERS, MOST_FILTERS_IN_ALL, MOST_QUERY = 5, 6, 18, 3_000
OPERATORS = (
    *("BETWEEN", "CONTAINS_TOKEN", "EQ", "GT", "GTE", "HAS_PROPERTY", "IN", "LT", "LTE", "NEQ"),
    *("NOT_CONTAINS_TOKEN", "NOT_HAS_PROPERTY", "NOT_IN"),
)


class SearchError(Exception):
    """A search HubSpot refuses."""


def search(
    records: Records, body: Mapping[str, Any], indexed_until: datetime | None = None
) -> np.ndarray:
    """The places of the live records that match, in the order asked for (creation order without a
    sort).

    `indexed_until` hides what changed after it, as an index does that lags behind. Raises
    SearchError.
    """
    found = ~records.is_archived
    if indexed_until is not None:
        changed = records.moments[records.kind.modified]
        found = found & (changed <= int(indexed_until.timestamp() * 1000))
    groups = body.get("filterGroups") or []
    _check(groups, body)
    if groups:
        any_group = np.zeros(len(found), dtype=bool)
        for group in groups:
            every = np.ones(len(found), dtype=bool)
            for condition in group.get("filters") or []:
                every &= _matching(records, condition)
            any_group |= every
        found = found & any_group
    places = np.flatnonzero(found)
    return _sorted(records, places, body.get("sorts") or [])


def _check(groups: Sequence[Any], body: Mapping[str, Any]) -> None:
    filters = [group.get("filters") or [] for group in groups if isinstance(group, dict)]
    if len(filters) != len(groups):
        raise SearchError("filterGroups must be a list of objects.")
    if len(groups) > MOST_GROUPS:
        raise SearchError(
            f"Number of filter groups {len(groups)} exceeds the maximum of {MOST_GROUPS}."
        )
    if any(len(group) > MOST_FILTERS for group in filters):
        raise SearchError(f"A filter group has more than {MOST_FILTERS} filters.")
    if sum(map(len, filters)) > MOST_FILTERS_IN_ALL:
        raise SearchError(f"There are more than {MOST_FILTERS_IN_ALL} filters.")
    if len(body.get("sorts") or []) > 1:
        raise SearchError("Only one sort is allowed.")
    if len(str(body.get("query") or "")) > MOST_QUERY:
        raise SearchError(f"The query is longer than {MOST_QUERY} characters.")
    if body.get("query"):
        raise SearchError("Full-text queries are not available here.")


def _matching(records: Records, condition: Mapping[str, Any]) -> np.ndarray:
    name, operator = condition.get("propertyName"), condition.get("operator")
    if name not in records.texts or operator not in OPERATORS:
        raise SearchError("There was a problem with the request.")
    texts = records.texts[name]
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        has = np.array([bool(text) for text in texts], dtype=bool)
        return has if operator == "HAS_PROPERTY" else ~has
    values = condition.get("values") if operator in ("IN", "NOT_IN") else [condition.get("value")]
    if operator == "BETWEEN":
        values = [condition.get("value"), condition.get("highValue")]
    if not isinstance(values, list) or not values or any(value is None for value in values):
        raise SearchError(f"Operator {operator} needs a value.")
    column, is_set, wanted = _comparable(records, name, values)
    matched: np.ndarray
    match operator:
        case "EQ":
            matched = column == wanted[0]
        case "NEQ":
            matched = column != wanted[0]
        case "GT":
            matched = column > wanted[0]
        case "GTE":
            matched = column >= wanted[0]
        case "LT":
            matched = column < wanted[0]
        case "LTE":
            matched = column <= wanted[0]
        case "BETWEEN":
            matched = (column >= wanted[0]) & (column <= wanted[1])
        case "IN" | "NOT_IN":
            matched = np.isin(column, wanted) == (operator == "IN")
        case _:
            tokens = np.array([str(wanted[0]) in str(text).split() for text in column], dtype=bool)
            matched = tokens == (operator == "CONTAINS_TOKEN")
    is_negative = operator in ("NEQ", "NOT_IN", "NOT_CONTAINS_TOKEN")
    return np.asarray(matched if is_negative else matched & is_set)


def _comparable(
    records: Records, name: str, values: Sequence[Any]
) -> tuple[np.ndarray, np.ndarray, list[Any]]:
    """The column as values that compare rightly, where it is set, the wanted values likewise."""
    kind = records.kind.properties[name][1]
    texts = records.texts[name]
    is_set = np.array([bool(text) for text in texts], dtype=bool)
    if kind == "datetime":
        return records.moments[name], is_set, [_moment(value) for value in values]
    if kind == "number":
        numbers = np.array([float(text) if text else np.nan for text in texts])
        return numbers, is_set, [_number(value) for value in values]
    lowered = np.array([(text or "").lower() for text in texts], dtype=object)
    return lowered, is_set, [str(value).lower() for value in values]


def _moment(value: Any) -> int:
    """Epoch milliseconds, or an ISO 8601 text."""
    text = str(value)
    if text.lstrip("-").isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SearchError("There was a problem with the request.") from None
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)


def _number(value: Any) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise SearchError("There was a problem with the request.") from None


def _sorted(records: Records, places: np.ndarray, sorts: Sequence[Any]) -> np.ndarray:
    if not sorts:
        return places
    sort = sorts[0]
    name = sort.get("propertyName") if isinstance(sort, dict) else str(sort).lstrip("-")
    is_descending = (
        sort.get("direction") == "DESCENDING" if isinstance(sort, dict) else str(sort)[:1] == "-"
    )
    if name not in records.texts:
        raise SearchError("There was a problem with the request.")
    kind = records.kind.properties[name][1]
    if kind == "datetime":
        keys = records.moments[name][places]
    elif kind == "number":
        keys = np.array([float(records.texts[name][place] or "-inf") for place in places])
    else:
        keys = np.array([records.texts[name][place] or "" for place in places], dtype=str)
    order = np.argsort(keys, kind="stable")
    return places[order[::-1]] if is_descending else places[order]
