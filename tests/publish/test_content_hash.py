from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from publish.content_hash import (
    ARROW_TYPES,
    NotCanonicalError,
    canonical,
    content_hash,
    table_hash,
)
from publish.contract import Column, View

KINDS = tuple(ARROW_TYPES)
VIEW = View("v", "", ("id",), (Column("id", "varchar", ""), *(Column(k, k, "") for k in KINDS)), "")

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "decimal": st.decimals(-(10**11), 10**11, places=6),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "date": st.dates(date(1, 1, 1), date(9999, 12, 31)),
    "timestamptz": st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(
        lambda moment: moment.replace(tzinfo=UTC)
    ),
    "varchar": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    "boolean": st.booleans(),
}
ROW = st.fixed_dictionaries({kind: st.none() | VALUES[kind] for kind in KINDS})
ROWS = st.lists(ROW, min_size=1, max_size=8)


def table(rows: list[dict[str, Any]]) -> pa.Table:
    schema = pa.schema([("id", pa.string()), *ARROW_TYPES.items()])
    numbered = [{"id": f"{number:03}", **row} for number, row in enumerate(rows)]
    return pa.Table.from_pylist(numbered, schema=schema)


def digest(rows: pa.Table) -> str:
    return table_hash(canonical(rows, VIEW), VIEW)


@given(ROWS, st.randoms())
def test_order_and_chunks_do_not_matter(rows: list[dict[str, Any]], random: Any) -> None:
    whole = table(rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    shuffled = pa.concat_tables([whole.slice(index, 1) for index in order])
    assert digest(shuffled) == digest(whole)


@given(ROWS, st.data())
def test_one_other_cell_is_another_hash(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(rows) - 1))
    kind = data.draw(st.sampled_from(KINDS))
    other = data.draw((st.none() | VALUES[kind]).filter(lambda value: value != rows[index][kind]))
    changed = [dict(row) for row in rows]
    changed[index][kind] = other
    assert digest(table(changed)) != digest(table(rows))


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("varchar", "", None),
        ("bigint", 0, None),
        ("double", 0.0, None),
        ("decimal", Decimal("1.000001"), Decimal("1.000002")),
        ("boolean", False, None),
        ("date", date(1970, 1, 1), None),
    ],
    ids=lambda value: repr(value),
)
def test_near_misses_differ(kind: str, one: Any, other: Any) -> None:
    empty: dict[str, Any] = dict.fromkeys(KINDS)
    assert digest(table([{**empty, kind: one}])) != digest(table([{**empty, kind: other}]))


def test_text_does_not_run_over_into_the_next_row() -> None:
    empty: dict[str, Any] = dict.fromkeys(KINDS)
    rows = [[{**empty, "varchar": text} for text in texts] for texts in (("ab", "c"), ("a", "bc"))]
    assert digest(table(rows[0])) != digest(table(rows[1]))


def test_negative_zero_is_zero() -> None:
    empty: dict[str, Any] = dict.fromkeys(KINDS)
    assert digest(table([{**empty, "double": -0.0}])) == digest(table([{**empty, "double": 0.0}]))


@pytest.mark.parametrize(
    ("column", "value"),
    [("double", float("nan")), ("double", float("inf")), ("varchar", "a\0b"), ("id", None)],
    ids=["nan", "infinity", "NUL", "null key"],
)
def test_what_the_places_cannot_hold_alike_is_refused(column: str, value: Any) -> None:
    rows = table([dict.fromkeys(KINDS)])
    index = rows.column_names.index(column)
    rows = rows.set_column(index, column, pa.array([value], rows.schema.field(column).type))
    with pytest.raises(NotCanonicalError, match=f"v.{column}"):
        canonical(rows, VIEW)


def test_the_whole_depends_on_every_view() -> None:
    assert content_hash({"a": "1", "b": "2"}) == content_hash({"b": "2", "a": "1"})
    assert content_hash({"a": "1", "b": "2"}) != content_hash({"a": "2", "b": "1"})
