"""Why a row may not go on, by Python alone: which rule speaks against which line of a batch.

It takes nothing from the suites: what holds for a vendor's values is said here a second time.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.stream import Stream
from tests.expectations.conftest import NIGHT
from tests.fuzz.meaning import Number, Object, Wrong, parse, read, said
from tests.fuzz.value_rules import value_rules

_LONGEST = 33_500_000
_MORNING = datetime(NIGHT.year, NIGHT.month, NIGHT.day + 1, 6, tzinfo=UTC)  # of the night


@dataclass(frozen=True, slots=True)
class Reading:
    """A line as Python reads it: values by column, None for all where it is unreadable.

    `mistyped`: columns with something that they cannot hold, in order; their value is None.
    `is_odd`: a key that no column needs comes twice, for which the line may be set aside.
    """

    values: Mapping[str, Any] | None
    mistyped: tuple[str, ...] = ()
    is_odd: bool = False


def reading(stream: Stream, line: bytes, empty_is_null: Sequence[str]) -> Reading:
    try:
        row = parse(line)
    except ValueError:
        return Reading(None)
    if not isinstance(row, Object) or len(line) > _LONGEST:
        return Reading(None)
    values: dict[str, Any] = {}
    mistyped = []
    for column in stream.columns:
        try:
            value = "form1" if column.path.startswith("@") else said(row, column.path)
        except Wrong:
            return Reading(None)
        try:
            values[column.name] = read(column, value, empty_is_null)
        except Wrong:
            values[column.name] = None
            mistyped.append(column.name)
    return Reading(values, tuple(mistyped), _is_odd(stream, row))


def _is_odd(stream: Stream, row: Object) -> bool:
    parents = {column.path.rpartition(".")[0] for column in stream.columns} - {""}
    nodes = [row, *(said(row, parent) for parent in parents)]
    return any(isinstance(node, Object) and node.repeated for node in nodes)


def against(
    source: str, stream: Stream, readings: Sequence[Reading], landed_at: datetime
) -> dict[str, list[int]]:
    """The lines that each rule speaks against, for all that set a row aside or keep a batch back.

    `landed_at`: no record is younger than a day after it.
    """
    found: dict[str, list[int]] = defaultdict(list)
    horizon = max(landed_at, _MORNING) + timedelta(days=1)
    rules = value_rules(source, stream.name, horizon)
    for line, one in enumerate(readings, start=1):
        if one.values is None:
            found["readable"].append(line)
            continue
        if one.mistyped:
            found["typed"].append(line)
        for column in stream.columns:
            if column.required and one.values[column.name] is None:
                found[f"{column.name}_present"].append(line)
        for name, fails in rules.items():
            if fails(one.values):
                found[name].append(line)
    if stream.load == "window":
        found["one_row_a_key"] = _contradicted(stream, readings)
    return {name: lines for name, lines in found.items() if lines}


def same(values: Mapping[str, Any], names: Iterable[str]) -> tuple[str | None, ...]:
    """Equal for rows that say the same in these columns."""
    return tuple(_as_text(values[name]) for name in names)


def _contradicted(stream: Stream, readings: Sequence[Reading]) -> list[int]:
    """Lines that share a key with a line that has other numbers."""
    measures = [one.name for one in stream.columns if one.type in ("bigint", "decimal", "double")]
    told = defaultdict(list)
    for line, one in enumerate(readings, start=1):
        if one.values is not None and None not in (key := same(one.values, stream.key)):
            told[key].append((line, tuple(one.values[name] for name in measures)))
    unlike = [lines for lines in told.values() if len({numbers for _, numbers in lines}) > 1]
    return sorted(line for lines in unlike for line, _ in lines)


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Number):
        if value.is_whole:
            return str(int(value.text))
        return repr(float(value.text)) if value.exact.is_finite() else value.text
    return json.dumps(value, default=lambda one: getattr(one, "text", str(one)))
