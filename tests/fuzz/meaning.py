"""What a landed line means, read by Python alone: the judge of what gate and load made of it.

It knows of the pipeline only the declared columns. Fractions in JSON are doubles, as in all JSON.
"""

from __future__ import annotations

import hmac
import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from ingest.stream import Column

_ABSENT = object()
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}:\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:?\d{2}))?", re.ASCII
)
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?", re.ASCII)
_FRACTION = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)


class Wrong(AssertionError):
    """What was loaded is not what the vendor said."""


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number as it is written."""

    text: str

    @property
    def is_whole(self) -> bool:
        return self.text.lstrip("-").isdigit()

    @property
    def exact(self) -> Decimal:
        return Decimal(self.text) if self.is_whole else Decimal(repr(float(self.text)))


class Object(dict[str, Any]):
    """A JSON object that knows which keys it was given twice."""

    repeated: frozenset[str] = frozenset()


def parse(line: bytes) -> Any:
    """The line's content. Raises ValueError where it is no JSON."""
    return json.loads(
        line.decode(),
        object_pairs_hook=_object,
        parse_int=Number,
        parse_float=Number,
        parse_constant=_refused,
    )


def said(row: Any, path: str) -> Any:
    """What the row says at a path, None where nothing. Raises Wrong where it cannot be told."""
    for key in path.split("."):
        if row is None:
            return None
        if not isinstance(row, Object):
            raise Wrong(f"{path}: something else stands where an object belongs")
        if key in row.repeated:
            raise Wrong(f"{path}: {key} is said twice")
        row = row.get(key)
    return row


def compare(
    column: Column, value: Any, stored: Any, key: bytes, empty_is_null: Sequence[str]
) -> None:
    """Raises Wrong unless `stored` is what `value` means in this column."""
    if value is None:
        _same(stored is None, value, stored)
        return
    blank = column.required or column.path.startswith(tuple(empty_is_null))
    if value == "" and column.type != "json" and blank:
        _same(stored is None, value, stored)
        return
    if column.kept is not None:
        _same(_equal(_kept(value, column.kept), _content(stored)), value, stored)
    elif column.personal is not None:
        _compare_hash(column, value, stored, key)
    else:
        _COMPARE[column.type](value, stored)


def _compare_hash(column: Column, value: Any, stored: Any, key: bytes) -> None:
    if not isinstance(value, str):
        _same(stored is not None and len(stored) == 64, value, stored)
        return
    plain = unicodedata.normalize("NFC", value).strip(" \t\n\r\f\u00a0")
    if column.personal == "email" and not plain.isascii():
        _same(stored is not None and len(stored) == 64, value, stored)
        return
    plain = plain.lower() if column.personal == "email" else plain
    wanted = hmac.new(key, plain.encode(), "sha256").hexdigest() if plain else None
    _same(stored == wanted, value, stored)


def _text(value: Any, stored: Any) -> None:
    if isinstance(value, str):
        _same(stored == value and "\0" not in value, value, stored)
    elif isinstance(value, Number) and not value.is_whole:
        known = _content(stored)
        _same(isinstance(known, Number) and known.exact == value.exact, value, stored)
    else:
        _same(stored is not None and _equal(value, _content(stored)), value, stored)


def _bigint(value: Any, stored: Any) -> None:
    if isinstance(value, str):
        _same(bool(_WHOLE.fullmatch(value)), value, stored)
        value = Decimal(value)
    else:
        value = _number(value, stored)
    _same(stored is not None and value == stored, value, stored)


def _decimal(value: Any, stored: Any) -> None:
    number = _fraction(value, stored)
    close = stored is not None and abs(number - stored) <= Decimal("0.0000005000000001")
    _same(close, value, stored)


def _double(value: Any, stored: Any) -> None:
    number = _fraction(value, stored)
    _same(stored is not None and math.isfinite(stored) and float(number) == stored, value, stored)


def _fraction(value: Any, stored: Any) -> Decimal:
    if isinstance(value, str):
        _same(bool(_FRACTION.fullmatch(value)), value, stored)
        return Decimal(value)
    return _number(value, stored)


def _number(value: Any, stored: Any) -> Decimal:
    if not isinstance(value, Number):
        raise Wrong(f"{value!r} is no number, and was loaded as {stored!r}")
    try:
        exact = value.exact
    except InvalidOperation:
        raise Wrong(f"{value!r} was loaded as {stored!r}") from None
    _same(exact.is_finite(), value, stored)
    return exact


def _boolean(value: Any, stored: Any) -> None:
    known = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
    _same(known is stored and isinstance(known, bool), value, stored)


def _date(value: Any, stored: Any) -> None:
    try:
        _same(isinstance(value, str) and len(value) == 10, value, stored)
        _same(date.fromisoformat(value) == stored, value, stored)
    except ValueError:
        raise Wrong(f"{value!r} is no day, and was loaded as {stored!r}") from None


def _timestamp(value: Any, stored: Any) -> None:
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None or stored is None:
        raise Wrong(f"{value!r} was loaded as {stored!r}")
    day, clock, fraction, offset = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock or '00:00:00'}".replace("T24:00", "T00:00"))
        moment += timedelta(days=clock == "24:00:00")  # the end of a day, as ISO 8601 writes it
    except ValueError:
        raise Wrong(f"{value!r} is no moment, and was loaded as {stored!r}") from None
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    moment += timedelta(microseconds=micros) - _offset(offset)
    _same(moment.replace(tzinfo=UTC) == stored, value, stored)


def _offset(text: str | None) -> timedelta:
    if text in (None, "Z"):
        return timedelta()
    hours, minutes = int(text[1:3]), int(text[-2:])
    ahead = timedelta(hours=hours, minutes=minutes)
    return -ahead if text[0] == "-" else ahead


def _json(value: Any, stored: Any) -> None:
    _same(stored is not None and _equal(value, parse(stored.encode())), value, stored)


_COMPARE: Mapping[str, Any] = {
    "text": _text,
    "bigint": _bigint,
    "decimal": _decimal,
    "double": _double,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
    "json": _json,
}


def _content(stored: str | None) -> Any:
    try:
        return None if stored is None else parse(stored.encode())
    except ValueError:
        raise Wrong(f"loaded is {stored!r}") from None


def _kept(value: Any, paths: Sequence[str]) -> Any:
    """The list with only the named leaves in each element; None where it is no list."""
    if not isinstance(value, list):
        return None
    return [None if one is None else _leaves(one, paths) for one in value]


def _leaves(value: Any, paths: Sequence[str]) -> Any:
    if not isinstance(value, dict):
        return {path.partition(".")[0]: None for path in paths}
    found: dict[str, Any] = {}
    for path in paths:
        head, _, rest = path.partition(".")
        below = value.get(head)
        if not rest:
            found[head] = below
        elif isinstance(below, dict):
            found[head] = found.get(head, {}) | _leaves(below, [rest])
        else:
            found[head] = None
    return found


def _equal(one: Any, other: Any) -> bool:
    """Equal as JSON: whole numbers exactly, fractions as doubles."""
    if isinstance(one, Number) and isinstance(other, Number):
        return one.exact == other.exact
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return type(one) is type(other) and one == other


def _object(pairs: list[tuple[str, Any]]) -> Object:
    made = Object(pairs)
    keys = [key for key, _ in pairs]
    made.repeated = frozenset(key for key in keys if keys.count(key) > 1)
    return made


def _refused(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _same(is_so: bool, value: Any, stored: Any) -> None:
    if not is_so:
        raise Wrong(f"the vendor said {value!r:.200}, loaded is {stored!r:.200}")
