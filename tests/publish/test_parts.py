from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from publish.content_hash import canonical
from publish.contract import Column, View
from publish.parts import (
    UNDATED,
    Slice,
    dated_by,
    merged,
    month,
    months_of,
    parts_hash,
    parts_of,
    rows_in,
    view_hash,
    within,
)

DATED = View(
    "values",
    "rows",
    ("name", "start"),
    (Column("name", "varchar", "x"), Column("start", "date", "x"), Column("value", "bigint", "x")),
    "x",
)
PLAIN = View("names", "rows", ("name",), DATED.columns, "x")

keys = st.tuples(st.sampled_from("abc"), st.dates(date(2025, 11, 1), date(2026, 3, 31)))
contents = st.dictionaries(keys, st.integers(0, 3), max_size=12)


def table(rows: dict[tuple[str, date], int], view: View = DATED) -> pa.Table:
    names, starts, values = zip(*((*key, value) for key, value in rows.items()), strict=True) \
        if rows else ((), (), ())  # fmt: skip
    columns = {"name": pa.array(names, pa.string()), "start": pa.array(starts, pa.date32()),
               "value": pa.array(values, pa.int64())}  # fmt: skip
    return canonical(pa.table(columns), view)


def within_months(rows: dict[tuple[str, date], int], months: tuple[str, ...]) -> dict[Any, int]:
    return {key: value for key, value in rows.items() if f"{key[1]:%Y-%m-01}" in months}


@given(contents, contents)
def test_the_hash_does_not_depend_on_the_way(
    before: dict[tuple[str, date], int], now: dict[tuple[str, date], int]
) -> None:
    """From the parts before, and the months that differ, as from all rows at once."""
    changed = tuple(sorted({f"{key[1]:%Y-%m-01}" for key, _ in before.items() ^ now.items()}))
    change = Slice(changed, table(within_months(now, changed)))
    parts = merged(parts_of(table(before), DATED), DATED, change)
    assert parts == parts_of(table(now), DATED)
    assert parts_hash(parts) == view_hash(table(now), DATED)
    assert rows_in(parts) == len(now)
    assert (view_hash(table(before), DATED) == view_hash(table(now), DATED)) == (before == now)


@given(contents, st.sets(st.sampled_from(["2025-11-01", "2026-01-01", "2026-03-01"])))
def test_sql_means_the_same_months(rows: dict[tuple[str, date], int], wanted: set[str]) -> None:
    months = tuple(sorted(wanted))
    with duckdb.connect() as connection:
        connection.register("rows", table(rows))
        found = connection.execute(
            f"select name, start, value from rows where {within(DATED, months)}"
        ).to_arrow_table()
        named = connection.execute(f"select distinct {month(DATED)} from rows order by 1")
        assert tuple(name for (name,) in named.fetchall()) == months_of(table(rows), DATED)
    assert canonical(found, DATED) == table(within_months(rows, months))


def test_a_view_without_a_date_in_its_key_is_one_part() -> None:
    rows = {("a", date(2026, 1, 1)): 1, ("b", date(2026, 2, 1)): 2}
    assert dated_by(PLAIN) is None
    assert list(parts_of(table(rows, PLAIN), PLAIN)) == [UNDATED]
    assert within(PLAIN, (UNDATED,)) == within(PLAIN, None) == "true"
    assert within(PLAIN, ()) == "false"
    assert parts_of(table({}, PLAIN), PLAIN)[UNDATED].rows == 0
