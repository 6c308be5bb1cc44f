"""What the gate writes beside a batch, by rename: typed.parquet, quarantine.parquet and, where soft
checks failed on rows that go on, noted.parquet."""

# ruff: noqa: S608 - the SQL is made from our own descriptions of streams and rules

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from boscard.atomic import replacing
from expectations.facts import Facts
from expectations.lines import pick
from expectations.rules import RowRule, Rule, Suite, literal
from expectations.split import key_json
from expectations.typed import SQL_TYPE, TABLE
from expectations.verdict import GateError
from ingest.batch import NOTED, QUARANTINE, ROWS, TYPED, Batch
from ingest.stream import Stream

_BLOCK = 1024
SCHEMA = pa.schema(
    [
        ("_line", pa.int64()),
        ("row", pa.string()),
        ("reasons", pa.list_(pa.string())),
        ("day", pa.date32()),
        ("key", pa.string()),
        ("columns", pa.list_(pa.string())),
    ]
)


def write_typed(batch: Batch, stream: Stream, connection: duckdb.DuckDBPyConnection) -> int:
    """The rows that go on, each with its call, and how many they are.

    Raises GateError where the file does not hold what was to go on.
    """
    columns = ", ".join(
        f"{column.name}::{SQL_TYPE[column.type]} as {column.name}" for column in stream.columns
    )
    kept = f"""
        from {TABLE}
        where _line not in (select _line from set_aside)
            and _line not in (select _line from superseded)
    """
    # By blocks of lines, or each line would be compared with each call.
    going_on = f"""
        select {columns}, _line, call_id as _call_id
        from (select * {kept})
        left join (
            select *, unnest(range(first_line // {_BLOCK}, last_line // {_BLOCK} + 1)) as block
            from calls
        ) on _line // {_BLOCK} = block and _line between first_line and last_line
    """
    with replacing(batch.path / TYPED) as part:
        connection.execute(
            f"copy ({going_on}) to '{_sql(part)}' "
            "(format parquet, compression zstd, compression_level 1, use_tmp_file false)"
        )
        written = int(pq.read_metadata(part).num_rows)
    row = connection.execute(f"select count(*) {kept}").fetchone()
    if row is None or row[0] != written:
        raise GateError(f"{batch.path.name}: {written} rows were written where {row} were to go on")
    return written


def write_quarantine(facts: Facts, suite: Suite, connection: duckdb.DuckDBPyConnection) -> int:
    """The rows set aside, each with the vendor's bytes as text and its reasons, and how many.

    `day` and `key` are empty for a line that could not be read; `columns` are the mistyped ones.
    """
    batch, stream = facts.batch, facts.stream
    found = connection.execute(
        f"""
        select set_aside._line, set_aside.reasons, {_day(facts, suite)},
            case when typed_rows._line is not null then {key_json(stream)} end,
            coalesce(typed_rows._mistyped, [])
        from set_aside left join {TABLE} as typed_rows on set_aside._line = typed_rows._line
        order by set_aside._line
        """
    ).fetchall()
    texts = dict(pick(batch.path / ROWS, [line for line, *_ in found]))
    rows = [
        {
            "_line": line,
            "row": texts[line].decode("utf-8", errors="backslashreplace"),
            "reasons": reasons,
            "day": on,
            "key": key,
            "columns": columns,
        }
        for line, reasons, on, key, columns in found
    ]
    _write_rows(batch, rows)
    return len(rows)


def write_noted(
    facts: Facts, suite: Suite, rules: Sequence[Rule], connection: duckdb.DuckDBPyConnection
) -> None:
    """The rows that go on though a soft check of `rules` speaks against them, by rule, with the
    business day that they touch. No file where there are none."""
    (facts.batch.path / NOTED).unlink(missing_ok=True)
    parts = [
        f"select _line, {literal(rule.name)} as rule, {_day(facts, suite)} as day "
        f"from staged as typed_rows where ({rule.failing(facts)}) is true"
        for rule in rules
        if isinstance(rule, RowRule) and rule.action == "observe" and rule.severity != "info"
    ]
    if not parts:
        return
    noted = f"""
        select * from ({" union all ".join(parts)})
        where _line not in (select _line from set_aside)
            and _line not in (select _line from superseded)
        order by rule, _line
    """
    connection.execute(f"create or replace table noted as {noted}")
    row = connection.execute("select count(*) from noted").fetchone()
    if row and row[0]:
        with replacing(facts.batch.path / NOTED) as part:
            connection.execute(
                f"copy noted to '{_sql(part)}' "
                "(format parquet, compression zstd, use_tmp_file false)"
            )


def _day(facts: Facts, suite: Suite) -> str:
    """The SQL for the business day in which the KPIs count a row, NULL where no date is usable."""
    stream, zone = facts.stream, literal(facts.time_zone)

    def of(name: str) -> str:
        if stream.column(name).type == "date":
            return f"typed_rows.{name}"
        # the first day of the years, which some vendors write for "never", has no day before it
        local = f"(typed_rows.{name} at time zone {zone})::date"
        first = "date '0001-01-01'"
        return f"case when {local} < {first} then {first} else {local} end"

    if stream.date_column:
        return of(stream.date_column)
    latest = literal(str(facts.horizon.date()))
    usable = [
        f"case when {of(name)} between date '2000-01-01' and date {latest} then {of(name)} end"
        for name in suite.dated_by
    ]
    return f"coalesce({', '.join([*usable, 'null::date'])})"


def write_kept_back(batch: Batch) -> None:
    """For a held or blocked batch: nothing goes on, and nothing is set aside of what is held."""
    (batch.path / TYPED).unlink(missing_ok=True)
    (batch.path / NOTED).unlink(missing_ok=True)
    _write_rows(batch, [])


def _write_rows(batch: Batch, rows: list[dict[str, object]]) -> None:
    with replacing(batch.path / QUARANTINE) as part:
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), part, compression="zstd")


def _sql(path: Path) -> str:
    return str(path).replace("'", "''")
