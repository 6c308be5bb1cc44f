"""Whether each row of a batch came to what it deserved, held against Python's own reading of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from expectations.suites import SUITES
from expectations.verdict import Result
from ingest.stream import Stream
from tests.fuzz.meaning import Wrong, compare, parse, said
from tests.fuzz.reasons import Reading, against, reading, same
from tests.fuzz.rows import Written
from tests.fuzz.value_rules import columns_of
from tests.fuzz.way import Arrived
from tests.warehouse.landed import KEY

_STOP = {
    *("own_account", "own_currency", "own_time_zone", "agreed_currency", "agreed_time_zone"),
    "mostly_sound",
}
_NAMED = re.compile(r"line (\d+), ([a-z_, ]+): (\{.*\})", re.DOTALL)


def judge(source: str, stream: Stream, written: Sequence[Written], arrived: Arrived) -> None:
    """Each row is loaded as it was meant, superseded by a later one, or set aside for what is wrong
    with it; or all are held for what is wrong with some, and these are named."""
    verdict, blank = arrived.verdict, SUITES[source][stream.name].empty_is_null
    for row, line in zip(written, arrived.lines, strict=True):
        assert line == row.line or re.search(rb"\\ud[89a-f]", row.line)  # half a character
    assert verdict.rows_in == len(written) == sum(verdict.counts)
    readings = sifted([reading(stream, line, blank) for line in arrived.lines], verdict.results)
    landed_at = datetime.fromisoformat(arrived.batch.manifest.landed_at)
    wrong = against(source, stream, readings, landed_at)
    aside = reasons_by_line(wrong)
    if len(aside) >= 20 and len(aside) > 0.2 * len(written):
        wrong["mostly_sound"] = sorted(aside)
    is_named(stream, verdict.results, wrong, readings)
    asked = {result.rule for result in verdict.results}
    stopping = {rule for rule in wrong if rule in _STOP & asked}
    assert {result.rule for result in verdict.stopping} == stopping
    if stopping:
        assert verdict.state == ("blocked" if "agreed_currency" in stopping else "held")
        assert verdict.rows_held == len(written)
        assert not arrived.loaded
        assert not arrived.set_aside
        return
    assert verdict.state == "passed"
    are_set_aside(source, stream, arrived, aside, readings)
    are_loaded(source, stream, arrived, readings)
    for line, row in enumerate(written, start=1):
        assert not row.is_sound or aside.get(line, {"one_row_a_key"}) == {"one_row_a_key"}, row.line


def sifted(readings: Sequence[Reading], results: Sequence[Result]) -> list[Reading]:
    """Without the odd lines where the gate read line by line and so saw what is odd in them."""
    strict = [one if one.values is None or not one.is_odd else Reading(None) for one in readings]
    found = next(result for result in results if result.rule == "readable").n_failed
    return strict if found == sum(one.values is None for one in strict) else list(readings)


def reasons_by_line(wrong: Mapping[str, Sequence[int]]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for rule, lines in wrong.items():
        for line in lines if rule not in _STOP else ():
            found.setdefault(line, set()).add(rule)
    return found


def is_named(
    stream: Stream,
    results: Sequence[Result],
    wrong: Mapping[str, Sequence[int]],
    readings: Sequence[Reading],
) -> None:
    """Each result counts the lines that its rule speaks against, and names the first of them, with
    the key and the columns at fault."""
    for result in results:
        assert result.state != "error", result.observed
        if result.action == "observe":
            continue
        lines = wrong.get(result.rule, [])
        assert result.n_failed == len(lines), (result.rule, result.sample, lines)
        assert len(result.sample) == min(len(lines), 5)
        if lines:
            assert result.state == "fail"
            assert result.sentence
            assert result.observed.startswith(f"{len(lines)} of ")
        for line, text in zip(lines, result.sample, strict=False):
            if result.rule in ("readable", "mostly_sound"):
                assert text == str(line)
                continue
            found = _NAMED.fullmatch(text)
            assert found is not None, text
            columns = readings[line - 1].mistyped
            if result.rule != "typed":
                columns = columns_of(stream, result.rule)
            assert (int(found[1]), found[2]) == (line, ", ".join(columns))
            assert tuple(json.loads(found[3])) == stream.key


def are_set_aside(
    source: str,
    stream: Stream,
    arrived: Arrived,
    aside: Mapping[int, set[str]],
    readings: Sequence[Reading],
) -> None:
    """Exactly the rows with something wrong, with all that is wrong and the columns at fault."""
    assert arrived.verdict.rows_quarantined == len(arrived.set_aside)
    found = {
        line: {reason.removeprefix(f"{source}.{stream.name}.") for reason in row["reasons"]}
        for line, row in arrived.set_aside.items()
    }
    for line in sorted(found.keys() | aside.keys()):
        both = found.get(line), aside.get(line)
        assert both[0] == both[1], (line, both, arrived.lines[line - 1][:600])
    for line, row in arrived.set_aside.items():
        assert tuple(row["columns"]) == readings[line - 1].mistyped


def are_loaded(source: str, stream: Stream, arrived: Arrived, readings: Sequence[Reading]) -> None:
    """Of the rows that are not set aside the newest of each key is loaded as it was meant."""
    blank = SUITES[source][stream.name].empty_is_null
    for line, row in arrived.loaded.items():
        is_meant(stream, arrived.lines[line - 1], row, blank)
    sound = [line for line in range(1, len(readings) + 1) if line not in arrived.set_aside]
    names = stream.key
    if stream.load == "replace":
        names = tuple(column.name for column in stream.columns)
    version = SUITES[source][stream.name].version
    newest: dict[Any, int] = {}
    for line in sound:
        values = readings[line - 1].values
        assert values is not None
        key = same(values, names)
        last = newest.setdefault(key, line)
        if version is None or values[version] >= readings[last - 1].values[version]:
            newest[key] = line
    unlike = sorted(set(arrived.loaded) ^ set(newest.values()))
    assert not unlike, [(line, arrived.lines[line - 1][:600]) for line in unlike]
    assert arrived.verdict.rows_superseded == len(sound) - len(newest)
    assert arrived.verdict.rows_loaded == len(newest)


def is_meant(
    stream: Stream, line: bytes, row: Mapping[str, Any], empty_is_null: Sequence[str]
) -> None:
    content = parse(line)
    for column in stream.columns:
        try:
            value = "form1" if column.path.startswith("@") else said(content, column.path)
            compare(column, value, row[column.name], KEY.value, empty_is_null)
        except Wrong as wrong:
            raise AssertionError(f"{column.name}: {wrong}; {line!r:.600}") from None
