"""Parts of a view: the months of the first date in its key, each with a hash of its own.

A publication's hash is made of its parts' hashes, so a night reads and hashes the months that it
changes. A view without a date in its key is one part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from publish.content_hash import table_hash
from publish.contract import View, quoted, quoted_text

UNDATED = "whole"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a view: its number of rows, and the hash of these (`table_hash`)."""

    rows: int
    sha256: str


# By month, told by its first day; UNDATED for a view without dates.
Parts: TypeAlias = Mapping[str, Part]


@dataclass(frozen=True, slots=True)
class Slice:
    """Canonical rows of a view: all rows of the named months, or of all where `months` is None."""

    months: tuple[str, ...] | None
    rows: pa.Table

    @property
    def is_empty(self) -> bool:
        """No month is meant at all; a month without rows is one that has to go."""
        return self.months == ()


def dated_by(view: View) -> str | None:
    """The first date in a view's key."""
    dates = {column.name for column in view.columns if column.type == "date"}
    return next((name for name in view.key if name in dates), None)


def month(view: View) -> str:
    """The part of a row as an SQL text, for DuckDB and Postgres alike."""
    column = dated_by(view)
    if column is None:
        return quoted_text(UNDATED)
    return f"cast(cast(date_trunc('month', {quoted(column)}) as date) as varchar)"


def within(view: View, months: Collection[str] | None) -> str:
    """The SQL condition that a row is of these months."""
    if months is None or (months and dated_by(view) is None):
        return "true"
    if not months:
        return "false"
    first_days = ", ".join(f"date {quoted_text(first)}" for first in months)
    column = quoted(dated_by(view) or "")
    return f"cast(date_trunc('month', {column}) as date) in ({first_days})"


def months_of(rows: pa.Table, view: View) -> tuple[str, ...]:
    """The parts that canonical rows belong to, in order."""
    column = dated_by(view)
    if column is None:
        return (UNDATED,)
    return tuple(sorted(pc.unique(_months(rows, column)).to_pylist()))


def parts_of(rows: pa.Table, view: View) -> dict[str, Part]:
    """The parts of canonical rows. A month without rows is none."""
    column = dated_by(view)
    if column is None:
        return {UNDATED: Part(rows.num_rows, table_hash(rows, view))}
    found = {}
    months = _months(rows, column)
    for name in months_of(rows, view):
        part = rows.filter(pc.equal(months, name))
        found[name] = Part(part.num_rows, table_hash(part, view))
    return found


def merged(before: Parts, view: View, change: Slice) -> dict[str, Part]:
    """All parts of a view from those before and the months that a slice brings anew."""
    kept = {} if change.months is None else {**before}
    for name in change.months or ():
        kept.pop(name, None)
    anew = {} if change.is_empty else parts_of(change.rows, view)
    return dict(sorted((kept | anew).items()))


def parts_hash(parts: Parts) -> str:
    """The hash of a view from the hashes of its parts."""
    lines = "".join(f"{name} {parts[name].rows} {parts[name].sha256}\n" for name in sorted(parts))
    return hashlib.sha256(lines.encode()).hexdigest()


def rows_in(parts: Parts) -> int:
    return sum(part.rows for part in parts.values())


def view_hash(rows: pa.Table, view: View) -> str:
    """The hash of a view from all its canonical rows, however it came to them."""
    return parts_hash(parts_of(rows, view))


def _months(rows: pa.Table, column: str) -> pa.ChunkedArray:
    return pc.strftime(rows.column(column), format="%Y-%m-01")
