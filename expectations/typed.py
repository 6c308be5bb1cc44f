"""From landed lines to a typed table in DuckDB: every leaf is read as text and cast by hand.

Nothing is cast silently: text that is present but is not what its column means leaves the value
empty and the column's name in `_mistyped`.
"""

# ruff: noqa: S608 - the SQL is made from our own descriptions of streams and rules

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from expectations.lines import Lines, Unreadable, sift
from ingest.batch import ROWS, Batch, Call
from ingest.stream import Column, Stream, Type

TABLE = "typed_rows"
UNREADABLE = "unreadable"

_CAST: dict[Type, str] = {
    "text": "case when not contains({0}, chr(0)) then {0} end",
    "json": "{0}",
    # What a value is written as again tells more cheaply than a pattern that it was read whole.
    "bigint": (
        "case when try_cast({0} as bigint)::varchar = {0} then try_cast({0} as bigint) "
        r"when regexp_full_match({0}, '[+-]?[0-9]+(\.0*)?') then try_cast({0} as bigint) end"
    ),
    "decimal": (
        r"case when regexp_full_match({0}, '[+-]?[0-9]+(\.[0-9]{{0,6}})?') "
        "then try_cast({0} as decimal(18, 6)) "
        r"when regexp_full_match({0}, '[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?') "
        "then half_even({0}) end"
    ),
    "double": (
        "case when regexp_full_match({0}, '[+-]?[0-9]+([.][0-9]*)?([eE][+-]?[0-9]+)?') "
        "and isfinite(try_cast({0} as double)) then try_cast({0} as double) end"
    ),
    "boolean": "case {0} when 'true' then true when 'false' then false end",
    "date": (
        "case when length({0}) = 10 and {0} >= '0001' and try_cast({0} as date)::varchar = {0} "
        "then try_cast({0} as date) end"
    ),
    "timestamp": (
        "case when regexp_full_match({0}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}"
        r"(T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]+)?(Z|[+-][0-9]{{2}}:?[0-9]{{2}}))?') "
        "and try_cast({0} as timestamptz) between timestamptz '0001-01-01 00:00:00+00' "
        "and timestamptz '9999-12-30 00:00:00+00' then try_cast({0} as timestamptz) end"
    ),
}

SQL_TYPE: dict[Type, str] = {
    "text": "VARCHAR",
    "json": "VARCHAR",
    "bigint": "BIGINT",
    "decimal": "DECIMAL(18,6)",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
}

_HALF_EVEN = (
    """
    create or replace macro half_even_value(value) as
        case
            when abs(try_cast(value as decimal(18, 6)) - value) = 0.0000005::decimal(38, 18)
                and (try_cast(value as decimal(18, 6))::decimal(38, 6) * 1000000)::hugeint % 2 <> 0
            then (try_cast(value as decimal(18, 6)) - sign(value) * 0.000001)::decimal(18, 6)
            else try_cast(value as decimal(18, 6))
        end
    """,
    """
    create or replace macro half_even(digits) as
        half_even_value(try_cast(digits as decimal(38, 18)))
    """,
)


class ReaderStopped(Exception):
    """The rows cannot be read, near a line that is named; of what stands in it nothing is said."""


def cast(text: str, type_: Type) -> str:
    """The SQL that turns an expression of text into a column's value; NULL where it does not fit.

    bigint: digits, and at most zeros after a point; never rounded. decimal: six places, further
    ones rounded half to even. double: finite. boolean: true or false, written so. date: a calendar
    day, not a moment. timestamp: a moment with its offset, or a day alone, which is its midnight in
    UTC (HubSpot's date properties). Both in the years 1 to 9999. text: anything that Postgres can
    hold, so no NUL character; a list or object in its place is kept as its JSON text.
    """
    return _CAST[type_].format(text)


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Settings and macros that the casts need."""
    connection.execute("set TimeZone = 'UTC'")
    for macro in _HALF_EVEN:
        connection.execute(macro)


def stage(
    connection: duckdb.DuckDBPyConnection,
    batch: Batch,
    stream: Stream,
    *,
    lines: Lines,
    calls: Sequence[Call],
    empty_is_null: Sequence[str] = (),
) -> None:
    """Create `typed_rows` (one row a readable line) and `unreadable` (the others, with the reason).

    typed_rows: `_line`, the stream's columns, and `_mistyped`, the names of columns whose text did
    not cast. Empty text is NULL below the paths `empty_is_null`, and in required
    columns, where it stands for nothing. Raises ReaderStopped where a line defeats both readers.
    """
    _create_calls(connection, stream, calls)
    connection.execute(f"create or replace table {UNREADABLE} (_line bigint, why varchar)")
    if not lines.is_suspect:
        try:
            _create_typed(connection, batch.path / ROWS, "zstd", stream, empty_is_null)
        except ReaderStopped:
            pass
        else:
            return
    # Beside the batch: vendors' rows are personal, and a killed gate's are written over here.
    readable = batch.path / ".readable.ndjson"
    try:
        leaves = [column.path for column in stream.columns if not column.path.startswith("@")]
        bad = sift(batch.path / ROWS, leaves, readable)
        _create_unreadable(connection, bad)
        _create_typed(connection, readable, "uncompressed", stream, empty_is_null)
    finally:
        readable.unlink(missing_ok=True)
    connection.execute(f"delete from {TABLE} where _line in (select _line from {UNREADABLE})")


def _create_unreadable(
    connection: duckdb.DuckDBPyConnection, unreadable: Sequence[Unreadable]
) -> None:
    if unreadable:
        rows = pa.table(
            {
                "_line": pa.array([row.line for row in unreadable], pa.int64()),
                "why": pa.array([row.why for row in unreadable], pa.string()),
            }
        )
        connection.register("_found", rows)
        connection.execute(f"insert into {UNREADABLE} select _line, why from _found")
        connection.unregister("_found")


def _create_calls(
    connection: duckdb.DuckDBPyConnection, stream: Stream, calls: Sequence[Call]
) -> None:
    """`calls`: the lines of each call that brought rows, and the context that columns take."""
    brought = [call for call in calls if call.rows]
    names = sorted({column.path[1:] for column in stream.columns if column.path.startswith("@")})
    columns: dict[str, Any] = {
        "call_id": pa.array([call.call_id for call in brought], pa.string()),
        "first_line": pa.array([call.first_line for call in brought], pa.int64()),
        "last_line": pa.array([call.first_line + call.rows - 1 for call in brought], pa.int64()),
    }
    for name in names:
        columns[f"@{name}"] = pa.array([call.context.get(name) for call in brought], pa.string())
    connection.register("_found", pa.table(columns))
    connection.execute("create or replace table calls as select * from _found")
    connection.unregister("_found")


def _create_typed(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    compression: str,
    stream: Stream,
    empty_is_null: Sequence[str],
) -> None:
    names = [column.name for column in stream.columns]
    texts = ",\n".join(
        f"{_text(column, empty_is_null)} as {_quoted(column.name)}" for column in stream.columns
    )
    casts = ",\n".join(
        f"{cast(f'leaves.{_quoted(column.name)}', column.type)} as {_quoted(column.name)}"
        for column in stream.columns
    )
    wrong = {
        name: f"leaves.{_quoted(name)} is not null and cast_rows.{_quoted(name)} is null"
        for name in names
    }
    named = ", ".join(f"case when {is_wrong} then '{name}' end" for name, is_wrong in wrong.items())
    # An ASOF join costs as much as all the reading: only what needs a call's context pays for it.
    has_context = any(column.path.startswith("@") for column in stream.columns)
    context = "asof left join calls on lines._line >= calls.first_line" if has_context else ""
    query = f"""
    create or replace table {TABLE} as
    with lines as (
        select row_number() over () as _line, *
        from read_json(
            ?, format = 'newline_delimited', compression = '{compression}',
            columns = {_shape(stream.columns)}
        )
    ),
    leaves as (
        select lines._line,
        {texts}
        from lines
        {context}
    ),
    cast_rows as (select _line, leaves, {casts} from leaves)
    select
        _line, {", ".join(map(_quoted, names))},
        case
            when {" or ".join(f"({is_wrong})" for is_wrong in wrong.values())}
                then list_filter([{named}], lambda name: name is not null)
            else []::varchar[]
        end as _mistyped
    from cast_rows
    {"order by _line" if has_context else ""}
    """
    # A zstd file is one stream: a second thread would only spin beside the one that reads it.
    connection.execute("set threads = 1")
    try:
        connection.execute(query, [str(path)])
    except (duckdb.InvalidInputException, duckdb.DataError) as error:
        raise ReaderStopped(_where(str(error))) from None
    except UnicodeDecodeError as error:  # DuckDB's message quotes the row, and cuts a character
        raise ReaderStopped(_where(error.object.decode("utf-8", "replace"))) from None
    finally:
        connection.execute("reset threads")


def _where(message: str) -> str:
    line = re.search(r"in line (\d+)", message)
    return f"the rows cannot be read{f', near line {line[1]}' if line else ''}"


def _text(column: Column, empty_is_null: Sequence[str]) -> str:
    if column.path.startswith("@"):
        return f"calls.{_quoted(column.path)}"
    leaf = "lines." + ".".join(map(_quoted, column.path.split(".")))
    if column.type == "json":
        return f"cast({leaf} as varchar)"
    if column.required or column.path.startswith(tuple(empty_is_null)):
        return f"nullif({leaf}, '')"
    return leaf


def _shape(columns: Sequence[Column]) -> str:
    """The `columns` argument of read_json: leaves are VARCHAR, what is kept whole is JSON."""
    tree: dict[str, Any] = {}
    for column in columns:
        if column.path.startswith("@"):
            continue
        *parents, leaf = column.path.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = "JSON" if column.type == "json" else "VARCHAR"
    members = ", ".join(f"{_literal(key)}: {_literal(_member(tree[key]))}" for key in tree)
    return "{" + members + "}"


def _member(node: Any) -> str:
    if isinstance(node, str):
        return node
    return "STRUCT(" + ", ".join(f"{_quoted(key)} {_member(node[key])}" for key in node) + ")"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
