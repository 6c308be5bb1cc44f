"""The split of a staged batch into rows that go on, rows that are superseded and rows set aside,
by the same statements that Great Expectations is asked about."""

# ruff: noqa: S608 - the SQL is made from our own descriptions of streams and rules

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from expectations.facts import Facts
from expectations.rules import BatchRule, RowRule, Rule, Suite, check_id, literal
from expectations.typed import TABLE
from ingest.stream import Stream

SAMPLE = 5


@dataclass(frozen=True, slots=True)
class Count:
    """What the split says of one rule: items that fail, items looked at, examples, their days."""

    failed: int
    total: int
    sample: tuple[str, ...] = ()
    first_day: date | None = None
    last_day: date | None = None


def stage(connection: duckdb.DuckDBPyConnection, facts: Facts, suite: Suite) -> None:
    """Create `staged`: the typed rows, what is known about their batch, and `_conflicts`.

    `staged` is a view: a copy of a large batch would cost as much memory as the batch.
    """
    stream = facts.stream
    columns = {**facts.columns(), **suite.columns(facts)}
    constants = "".join(f", {sql} as {name}" for name, sql in columns.items())
    key = ", ".join(stream.key)
    connection.execute(
        f"""
        create or replace table repeated as
        with again as (
            select hash({key}) as hashed from {TABLE}
            where {_known(stream)} group by hashed having count(*) > 1
        )
        select {key} from {TABLE}
        where {_known(stream)} and hash({key}) in (select hashed from again)
        group by {key} having count(*) > 1
        """
    )
    connection.execute(f"create or replace table conflicts as {_conflicts(stream, suite.version)}")
    connection.execute(
        f"""
        create or replace view staged as
        select *, _line in (select _line from conflicts) as _conflicts{constants} from {TABLE}
        """
    )


def _known(stream: Stream) -> str:
    """The SQL for rows whose key is there."""
    return " and ".join(f"{name} is not null" for name in stream.key)


def _repeated(stream: Stream) -> str:
    """The SQL for rows whose key comes more than once in the batch."""
    key = ", ".join(stream.key)
    return f"{_known(stream)} and ({key}) in (select ({key}) from repeated)"


def _conflicts(stream: Stream, version: str | None) -> str:
    """Lines that share a key with a line that says otherwise.

    In windowed reports only measures count: a name may change between two pages. A newer version
    of a record is no conflict.
    """
    measured = [
        column.name
        for column in stream.columns
        if column.type in ("bigint", "decimal", "double") or stream.load != "window"
    ]
    said = [name for name in measured if name not in stream.key]
    key = ", ".join((*stream.key, *([version] if version else ())))
    if not said or stream.load == "replace":
        return f"select _line from {TABLE} where false"
    return f"""
        with again as (select * from {TABLE} where {_repeated(stream)})
        select _line from again
        where ({key}) in (
            select ({key}) from again
            group by {key}
            having count(*) > 1 and count(distinct hash({", ".join(said)})) > 1
        )
    """


def set_aside(connection: duckdb.DuckDBPyConnection, facts: Facts, rules: Sequence[Rule]) -> None:
    """Create `set_aside`: the lines that fail a rule with `quarantine`, and which (`reasons`)."""
    manifest = facts.batch.manifest

    def reason(rule: Rule) -> str:
        return literal(check_id(manifest.source, manifest.stream, rule.name))

    chosen = [rule for rule in rules if rule.action == "quarantine"]
    cases = [
        f"case when ({rule.failing(facts)}) is true then {reason(rule)} end"
        for rule in chosen
        if isinstance(rule, RowRule)
    ]
    parts = [
        f"select _line, [{reason(rule)}] as reasons from ({rule.query})"
        for rule in chosen
        if isinstance(rule, BatchRule) and rule.sets_aside
    ]
    parts.append(
        f"""
        select _line, list_filter([{", ".join(cases) or "null::varchar"}],
            lambda reason: reason is not null) as reasons
        from staged
        """
    )
    connection.execute(
        f"""
        create or replace table set_aside as
        select _line, reasons from ({" union all ".join(parts)})
        where len(reasons) > 0
        order by _line
        """
    )


def supersede(connection: duckdb.DuckDBPyConnection, stream: Stream, version: str | None) -> None:
    """Create `superseded`: sound lines whose key comes again, newer or later in the batch.

    A list without an identity (`replace`) may say several things of one key: only a repeated row
    is superseded there.
    """
    key = list(stream.key)
    if stream.load == "replace":
        key = [column.name for column in stream.columns]
    order = [f"{version} desc nulls last"] if version else []
    connection.execute(
        f"""
        create or replace table superseded as
        select _line from (
            select _line, row_number() over (
                partition by {", ".join(key)} order by {", ".join([*order, "_line desc"])}
            ) as place
            from {TABLE}
            where {_repeated(stream)} and _line not in (select _line from set_aside)
        )
        where place > 1
        """
    )


def count(
    connection: duckdb.DuckDBPyConnection, facts: Facts, rules: Sequence[Rule]
) -> dict[str, Count]:
    """What the split says of each rule, by name."""
    counts = {
        rule.name: _count_items(connection, rule) for rule in rules if isinstance(rule, BatchRule)
    }
    row_rules = [rule for rule in rules if isinstance(rule, RowRule)]
    if not row_rules:
        return counts
    sums = ", ".join(
        f"count(*) filter (where ({rule.failing(facts)}) is true)" for rule in row_rules
    )
    total, *failed = _one(connection, f"select count(*), {sums} from staged")
    for rule, number in zip(row_rules, failed, strict=True):
        counts[rule.name] = (
            _sampled(connection, facts, rule, number, total) if number else Count(0, total)
        )
    return counts


def _count_items(connection: duckdb.DuckDBPyConnection, rule: BatchRule) -> Count:
    (total,) = _one(connection, rule.total)
    found = connection.execute(rule.query).fetchall()
    return Count(len(found), total, tuple(str(item) for item, *_ in found[:SAMPLE]))


def _sampled(
    connection: duckdb.DuckDBPyConnection, facts: Facts, rule: RowRule, failed: int, total: int
) -> Count:
    """The first failing rows (line, columns at fault, key), and their days."""
    stream = facts.stream
    found = connection.execute(
        f"select _line, {_at_fault(stream, rule, facts)}, {key_json(stream)} from staged "
        f"where ({rule.failing(facts)}) is true order by _line limit {SAMPLE}"
    ).fetchall()
    sample = tuple(f"line {line}, {columns}: {key}" for line, columns, key in found)
    if not stream.date_column:
        return Count(failed, total, sample)
    first, last = _one(
        connection,
        f"select min({stream.date_column})::date, max({stream.date_column})::date "
        f"from staged where ({rule.failing(facts)}) is true",
    )
    return Count(failed, total, sample, first, last)


def _at_fault(stream: Stream, rule: RowRule, facts: Facts) -> str:
    """The SQL for the names of the columns by which a row fails: what the rule looks at."""
    looked_at = {*re.findall(r"\w+", rule.failing(facts)), *rule.columns}
    if "_mistyped" in looked_at:
        return "array_to_string(_mistyped, ', ')"
    names = [column.name for column in stream.columns if column.name in looked_at]
    return literal(", ".join(names or stream.key))


def key_json(stream: Stream) -> str:
    """The SQL for a row's key as JSON text."""
    members = ", ".join(f"'{name}', {name}::varchar" for name in stream.key)
    return f"json_object({members})::varchar"


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row


def how_many(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(_one(connection, f"select count(*) from {table}")[0])
