"""What a landed line means, read by Python alone: by it gate and load are judged.

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
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any

from ingest.stream import Column

_EXACT = Context(prec=500)
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


def read(column: Column, value: Any, empty_is_null: Sequence[str]) -> Any:
    """What a value means in this column, None where nothing. Raises Wrong where it means nothing
    that the column could hold."""
    blank = column.required or column.path.startswith(tuple(empty_is_null))
    if value is None or (value == "" and column.type != "json" and blank):
        return None
    return _READ[column.type](value)


def compare(
    column: Column, value: Any, stored: Any, key: bytes, empty_is_null: Sequence[str]
) -> None:
    """Raises Wrong unless `stored` is what `value` means in this column."""
    meant = read(column, value, empty_is_null)
    if meant is None or stored is None:
        is_so = stored is None and (meant is None or _says_nothing(column, meant))
    elif column.kept is not None:
        is_so = _equal(_kept(meant, column.kept), _content(stored))
    elif column.personal is not None:
        is_so = _is_hash(column, meant, stored, key)
    elif column.type == "json" or (column.type == "text" and not isinstance(meant, str)):
        is_so = _equal(meant, _content(stored))
    else:
        is_so = meant == stored
    if not is_so:
        raise Wrong(f"the vendor said {value!r:.200}, loaded is {stored!r:.200}")


def _says_nothing(column: Column, meant: Any) -> bool:
    """Whether the warehouse keeps nothing of it: no list with leaves to keep, no text to hash."""
    if column.kept is not None:
        return not isinstance(meant, list)
    return column.personal is not None and isinstance(meant, str) and not _plain(meant)


def _is_hash(column: Column, meant: Any, stored: Any, key: bytes) -> bool:
    if not isinstance(meant, str):
        return len(stored) == 64
    plain = _plain(meant)
    if column.personal == "email" and not plain.isascii():
        return len(stored) == 64
    plain = plain.lower() if column.personal == "email" else plain
    return bool(plain) and stored == hmac.new(key, plain.encode(), "sha256").hexdigest()


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip(" \t\n\r\f\u00a0")


def _text(value: Any) -> Any:
    """Text that Postgres can hold; anything else stays the JSON that it is."""
    if isinstance(value, str) and "\0" in value:
        raise Wrong(f"{value!r:.200} has a NUL")
    return value


def _bigint(value: Any) -> int:
    """Digits, and zeros after a point at most. A double of 1e16 is written with an exponent."""
    if isinstance(value, Number):
        number = value.exact
        is_so = value.is_whole or (abs(number) < 10**16 and number == number.to_integral_value())
    else:
        is_so = isinstance(value, str) and bool(_WHOLE.fullmatch(value))
        number = Decimal(value) if is_so else Decimal()
    if not is_so or not -(2**63) <= number < 2**63:
        raise Wrong(f"{value!r:.200} is no whole number of 64 bits")
    return int(number)


def _decimal(value: Any) -> Decimal:
    """Six places, half to even, and at most twelve digits before them."""
    try:
        number = _fraction(value).quantize(Decimal("0.000001"), ROUND_HALF_EVEN, _EXACT)
    except InvalidOperation:
        raise Wrong(f"{value!r:.200} is too large") from None
    if abs(number) >= 10**12:
        raise Wrong(f"{value!r:.200} is too large")
    return number


def _double(value: Any) -> float:
    number = float(_fraction(value))
    if not math.isfinite(number):
        raise Wrong(f"{value!r:.200} is too large")
    return number


def _fraction(value: Any) -> Decimal:
    if isinstance(value, Number) and value.exact.is_finite():
        return value.exact
    if isinstance(value, str) and _FRACTION.fullmatch(value):
        return Decimal(value)
    raise Wrong(f"{value!r:.200} is no number")


def _boolean(value: Any) -> bool:
    known = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
    if not isinstance(known, bool):
        raise Wrong(f"{value!r:.200} is neither true nor false")
    return known


def _date(value: Any) -> date:
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise Wrong(f"{value!r:.200} is no day")


def _timestamp(value: Any) -> datetime:
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Wrong(f"{value!r:.200} is no moment")
    day, clock, fraction, offset = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock or '00:00:00'}".replace("T24:00", "T00:00"))
        moment += timedelta(days=clock == "24:00:00")  # the end of a day, as ISO 8601 writes it
        micros = int((fraction or "0")[:6].ljust(6, "0"))
        moment += timedelta(microseconds=micros) - _offset(offset)
    except (ValueError, OverflowError):
        raise Wrong(f"{value!r:.200} is no moment") from None
    if moment > datetime(9999, 12, 30):
        raise Wrong(f"{value!r:.200} is too late")
    return moment.replace(tzinfo=UTC)


def _offset(text: str | None) -> timedelta:
    if text in (None, "Z"):
        return timedelta()
    hours, minutes = int(text[1:3]), int(text[-2:])
    ahead = timedelta(hours=hours, minutes=minutes)
    return -ahead if text[0] == "-" else ahead


def _json(value: Any) -> Any:
    return value


_READ: Mapping[str, Any] = {
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
