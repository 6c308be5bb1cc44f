"""Faults on demand: what goes wrong, at which vendor, for which calls, how often, and what it did
so far.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

VENDORS = ("google_ads", "hubspot", "typeform")
Scope = Literal["call", "page", "rows"]


class FaultError(ValueError):
    """A fault that cannot be set; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault.

    scope call: it strikes calls, `times` of them after the first `after`; page: likewise, and only
    calls that have a page; rows: it changes what the vendor says about some rows for as long as it
    stands.
    """

    scope: Scope
    vendors: tuple[str, ...] = VENDORS
    times: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


KINDS: dict[str, Kind] = {
    "throttle": Kind("call", times=1, parameters={"seconds": 1}),
    "server_error": Kind("call", times=1, parameters={"status": 503}),
    "truncate": Kind("page", times=1, parameters={"how": "connection"}),
    "expire_token": Kind("page", times=1),
    "revoke": Kind("call"),
    "disable": Kind("call", vendors=("google_ads",)),
    "slow": Kind("call", parameters={"ms": 500}),
    "repeat_token": Kind("page"),
    "repeat_page": Kind("page"),
    "overlap": Kind("page", parameters={"rows": 2}),
    "empty_page": Kind("page", times=1),
    "indented": Kind("page", parameters={"indent": 4}),
    "invalid_utf8": Kind("page", times=1),
    "index_lag": Kind("page", vendors=("hubspot",), parameters={"seconds": 60}),
    "negative_spend": Kind("rows", ("google_ads",), parameters={"rows": 3, "day": None}),
    "clicks_above_impressions": Kind("rows", ("google_ads",), parameters={"rows": 3, "day": None}),
    "impossible_date": Kind("rows", parameters={"rows": 3, "day": None}),
    "score_out_of_range": Kind("rows", ("typeform",), parameters={"rows": 3, "value": 14}),
    "duplicate_key": Kind("rows", parameters={"rows": 3, "day": None, "differs": False}),
    "renamed_field": Kind("rows", parameters={"field": None, "to": None}),
    "added_field": Kind("rows", parameters={"field": "novelty", "value": "new"}),
    "wrong_value": Kind("rows", parameters={"rows": 3, "day": None, "field": None, "value": "n/a"}),
    "missing_day": Kind("rows", ("google_ads", "typeform"), parameters={"day": None}),
    "missing_rows": Kind("rows", parameters={"percent": 30, "day": None}),
    "clock_ahead": Kind("rows", ("hubspot", "typeform"), parameters={"seconds": 3600}),
}


@dataclass(slots=True)
class Fault:
    """A fault that stands. `changed` counts changed rows by the request that asked for them
    (without its token).
    """

    fault_id: int
    vendor: str
    fault: str
    match: str
    times: int | None
    after: int
    parameters: dict[str, Any]
    seen: int = 0
    hits: int = 0
    changed: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, parameter: str) -> Any:
        return self.parameters[parameter]

    @property
    def rows(self) -> int | None:
        """How many rows of a report or list are changed; None for all."""
        rows = self.parameters.get("rows")
        return None if rows is None else int(rows)

    def day(self, as_of_date: date) -> date:
        """The day whose rows are changed: the night's own unless another was asked for."""
        text = self.parameters.get("day")
        return date.fromisoformat(text) if text else as_of_date

    def record(self, request: str, rows: int) -> None:
        """Note how many rows an answer to `request` changed; asking the same again does not count
        twice.
        """
        if rows:
            self.changed[request] = rows

    def matches(self, label: str) -> bool:
        """Every word of `match` is a word of the label, or a part of its path."""
        words = label.split()
        return all(term in words or term in words[0] for term in self.match.split())

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.fault_id,
            "vendor": self.vendor,
            "fault": self.fault,
            "match": self.match,
            "times": self.times,
            "after": self.after,
            **self.parameters,
            "calls_hit": self.hits,
            "rows_changed": sum(self.changed.values()),
            "rows_changed_by_request": self.changed,
        }


@dataclass(frozen=True, slots=True)
class Struck:
    """The faults that apply to one call."""

    faults: tuple[Fault, ...] = ()

    def first(self, kind: str) -> Fault | None:
        return next((fault for fault in self.faults if fault.fault == kind), None)

    def __contains__(self, kind: object) -> bool:
        return any(fault.fault == kind for fault in self.faults)

    @property
    def of_rows(self) -> tuple[Fault, ...]:
        return tuple(fault for fault in self.faults if KINDS[fault.fault].scope == "rows")


class Faults:
    """The faults that stand now; safe between threads."""

    def __init__(self, faults: Iterable[Mapping[str, Any]] = ()) -> None:
        self._ids = itertools.count(1)
        self._standing: list[Fault] = []
        self._lock = threading.Lock()
        for content in faults:
            self.add(content)

    def add(self, content: Mapping[str, Any]) -> Fault:
        """Set a fault from its JSON. Raises FaultError naming what was wrong."""
        given = dict(content)
        vendor, name = given.pop("vendor", None), given.pop("fault", None)
        kind = KINDS.get(name) if isinstance(name, str) else None
        if kind is None:
            raise FaultError(f"fault {name!r} is not known; known are {', '.join(KINDS)}")
        if vendor not in kind.vendors:
            raise FaultError(
                f"vendor {vendor!r} has no fault {name!r}; it is for {', '.join(kind.vendors)}"
            )
        if kind.scope == "rows" and (given.get("times") is not None or given.get("after")):
            raise FaultError(
                f"{name} changes rows until it is deleted: it takes neither times nor after"
            )
        match, after = str(given.pop("match", "") or ""), given.pop("after", 0) or 0
        times = given.pop("times", kind.times)
        unknown = sorted(set(given) - set(kind.parameters))
        if unknown:
            raise FaultError(
                f"{name} takes no {', '.join(unknown)}; it takes {', '.join(kind.parameters)}"
            )
        fault = Fault(
            next(self._ids),
            str(vendor),
            str(name),
            match,
            times,
            after,
            {**kind.parameters, **given},
        )
        _check(fault)
        with self._lock:
            self._standing.append(fault)
        return fault

    def remove(self, fault_id: int | None = None, vendor: str | None = None) -> int:
        """Delete one fault, a vendor's, or all; how many there were."""
        with self._lock:
            kept = [
                fault
                for fault in self._standing
                if (fault_id is not None and fault.fault_id != fault_id)
                or (vendor is not None and fault.vendor != vendor)
            ]
            removed = len(self._standing) - len(kept)
            self._standing = kept
        return removed

    def standing(self) -> tuple[Fault, ...]:
        return tuple(self._standing)

    def strike(self, vendor: str, label: str, *, is_token_call: bool) -> Struck:
        """The faults of this call, each counted as used once.

        `label` is the call's path, then words such as its stream. The token endpoint is struck only
        by
        faults whose match names it.
        """
        struck = []
        with self._lock:
            for fault in self._standing:
                if fault.vendor != vendor or not fault.matches(label):
                    continue
                if is_token_call and "token" not in fault.match:
                    continue
                fault.seen += 1
                if fault.seen <= fault.after or (
                    fault.times is not None and fault.hits >= fault.times
                ):
                    continue
                fault.hits += 1
                struck.append(fault)
        return Struck(tuple(struck))

    def is_revoked(self, vendor: str) -> bool:
        """Whether a `revoke` of this vendor has struck and still stands."""
        return any(
            fault.fault == "revoke" and fault.vendor == vendor and (fault.hits or not fault.after)
            for fault in self._standing
        )


def _check(fault: Fault) -> None:
    counts = {"times": fault.times, "after": fault.after, **fault.parameters}
    for name in ("times", "after", "seconds", "ms", "status", "rows", "indent", "percent"):
        value = counts.get(name)
        if value is not None and (type(value) is not int or value < 0):
            raise FaultError(f"{name} {value!r} is not a whole number of 0 or more")
    if fault.parameters.get("how", "json") not in ("connection", "json"):
        raise FaultError(f"how {fault['how']!r} is not known; write connection or json")
    try:
        fault.day(date.min)
    except (ValueError, TypeError):
        raise FaultError(f"day {fault['day']!r} is not a day; write YYYY-MM-DD") from None


SCENARIOS: dict[str, tuple[dict[str, Any], ...]] = {
    "quiet": (),
    "throttled": tuple(
        {"vendor": vendor, "fault": "throttle", "after": 2, "times": 2, "seconds": 2}
        for vendor in VENDORS
    ),
    "throttled_for_hours": tuple(
        {"vendor": vendor, "fault": "throttle", "after": 2, "times": None, "seconds": 40_591}
        for vendor in VENDORS
    ),
    "unsteady": tuple(
        fault
        for vendor in VENDORS
        for fault in (
            {"vendor": vendor, "fault": "server_error", "after": 1, "times": 1},
            {"vendor": vendor, "fault": "truncate", "after": 3, "times": 1},
            {"vendor": vendor, "fault": "expire_token", "after": 5, "times": 1},
        )
    ),
    "slow": tuple({"vendor": vendor, "fault": "slow", "ms": 250} for vendor in VENDORS),
    **{
        f"{vendor}_down": ({"vendor": vendor, "fault": "server_error", "times": None},)
        for vendor in VENDORS
    },
    **{f"{vendor}_revoked": ({"vendor": vendor, "fault": "revoke"},) for vendor in VENDORS},
    "wrong_values": (
        {"vendor": "google_ads", "fault": "negative_spend", "match": "campaign_daily"},
        {"vendor": "google_ads", "fault": "clicks_above_impressions", "match": "ad_daily"},
        {"vendor": "google_ads", "fault": "impossible_date", "match": "ad_group_daily"},
        {"vendor": "google_ads", "fault": "duplicate_key", "match": "ad_daily"},
        {"vendor": "hubspot", "fault": "duplicate_key", "match": "contacts"},
        {"vendor": "typeform", "fault": "score_out_of_range"},
    ),
    "renamed_field": (
        {
            "vendor": "google_ads",
            "fault": "renamed_field",
            "field": "costMicros",
            "to": "costInMicros",
        },
    ),
    "missing_day": ({"vendor": "google_ads", "fault": "missing_day"},),
    "endless_pages": tuple({"vendor": vendor, "fault": "repeat_token"} for vendor in VENDORS),
}
