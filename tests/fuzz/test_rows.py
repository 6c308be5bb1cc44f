"""Whatever a row holds, it is loaded as it was meant, superseded, or set aside with a reason."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.suites import SUITES
from ingest.exchange import Page
from ingest.registry import SOURCES
from ingest.stream import Stream
from tests.fuzz.conftest import ROWS, fuzz
from tests.fuzz.meaning import Wrong, compare, parse, said
from tests.fuzz.rows import Edit, Written, batches, write
from tests.fuzz.way import Arrived, body_of, is_one_row_a_page, page_of, row_by_row, travel
from tests.warehouse.landed import KEY

tried: set[bytes] = set()
STREAMS = [
    pytest.param(source.name, stream, id=f"{source.name}.{stream.name}")
    for source in SOURCES.values()
    for stream in source.streams.values()
]


@pytest.mark.parametrize(("source", "stream"), STREAMS)
@fuzz
@given(data=st.data())
def test_each_row_is_accounted_for(source, stream, data, folder, examiner, raw) -> None:
    written = write(source, stream, data.draw(batches(stream, ROWS)))
    with tempfile.TemporaryDirectory(dir=folder) as place:
        arrived = travel(
            source,
            stream,
            pages_of(source, stream, written),
            folder=Path(place),
            examiner=examiner,
            raw=raw,
            suite=row_by_row(source, stream),
        )
    judge(source, stream, written, arrived)
    tried.update(row.line for row in written if not row.is_sound)


@pytest.mark.parametrize(("source", "stream"), STREAMS)
@fuzz
@given(data=st.data())
def test_a_batch_goes_on_or_is_held_whole_and_says_why(
    source, stream, data, folder, examiner, raw
) -> None:
    """With the rules that look at the whole batch too."""
    wrong = data.draw(batches(stream, data.draw(st.sampled_from([1, 15, 30]))))
    written = write(source, stream, [*([[]] * (120 - len(wrong))), *wrong])
    with tempfile.TemporaryDirectory(dir=folder) as place:
        arrived = travel(
            source,
            stream,
            pages_of(source, stream, written),
            folder=Path(place),
            examiner=examiner,
            raw=raw,
            suite=SUITES[source][stream.name],
        )
    if arrived.verdict.state == "passed":
        judge(source, stream, written, arrived)
        return
    assert arrived.verdict.rows_held == len(written)
    assert not arrived.loaded
    assert not arrived.set_aside
    assert any(result.sample for result in arrived.verdict.stopping)


def test_a_row_too_long_to_read_is_set_aside_alone(folder, examiner, raw) -> None:
    source, stream = "hubspot", SOURCES["hubspot"].streams["companies"]
    name = Edit("set", "properties.name", b'"' + b"x" * 34_000_000 + b'"')
    written = write(source, stream, [[], [name], []])
    with tempfile.TemporaryDirectory(dir=folder) as place:
        arrived = travel(
            source,
            stream,
            pages_of(source, stream, written),
            folder=Path(place),
            examiner=examiner,
            raw=raw,
            suite=row_by_row(source, stream),
        )
    judge(source, stream, written, arrived)
    assert {line: row["reasons"] for line, row in arrived.set_aside.items()} == {
        2: ["hubspot.companies.readable"]
    }


def pages_of(source: str, stream: Stream, written: list[Written]) -> list[Page]:
    rows = [row.line for row in written]
    parts = [[row] for row in rows] if is_one_row_a_page(source, stream) else [rows]
    return [page_of(source, stream, body_of(source, stream, part)) for part in parts]


def test_ten_thousand_rows_gone_wrong_were_tried() -> None:
    """All of them different. It counts those of this module, which one process runs."""
    if not tried:
        pytest.skip("no row of this module was tried: run all of it")
    assert len(tried) >= 10_000


def judge(source: str, stream: Stream, written: list[Written], arrived: Arrived) -> None:
    verdict = arrived.verdict
    assert verdict.state == "passed", [result.observed for result in verdict.stopping]
    assert verdict.rows_in == len(written) == len(arrived.lines) == sum(verdict.counts)
    loaded, aside = set(arrived.loaded), set(arrived.set_aside)
    assert not loaded & aside
    assert len(aside) == verdict.rows_quarantined
    superseded = set(range(1, len(written) + 1)) - loaded - aside
    assert len(superseded) == verdict.rows_superseded
    for line, row in arrived.loaded.items():
        is_meant(source, stream, arrived, line, row)
    keys = [tuple(row[name] for name in stream.key) for row in arrived.loaded.values()]
    if stream.load != "replace":
        assert len(set(keys)) == len(keys)
    versioned = SUITES[source][stream.name].version is not None
    for line in superseded:
        winners = lines_of_key(source, stream, arrived, line)
        assert winners, f"line {line} is nowhere: {arrived.lines[line - 1]!r:.600}"
        assert versioned or max(winners) > line, arrived.lines[line - 1]
    for line, row in enumerate(written, start=1):
        if row.is_sound and line in aside:
            reasons = arrived.set_aside[line]["reasons"]
            assert reasons == [f"{source}.{stream.name}.one_row_a_key"], (row.line, reasons)
    assert len(loaded) + len(superseded) >= sum(row.is_sound for row in written) // 2
    for line, row in arrived.set_aside.items():
        assert row["reasons"], arrived.lines[line - 1]
        if any(reason.endswith(".typed") for reason in row["reasons"]):
            assert row["columns"], arrived.lines[line - 1]


def is_meant(source: str, stream: Stream, arrived: Arrived, line: int, row: dict) -> None:
    text = arrived.lines[line - 1]
    content = parse(text)
    for column in stream.columns:
        try:
            value = "form1" if column.path.startswith("@") else said(content, column.path)
            compare(column, value, row[column.name], KEY.value, empty_is_null(source, stream))
        except Wrong as wrong:
            raise AssertionError(f"line {line}, {column.name}: {wrong}; {text!r:.600}") from None


def lines_of_key(source: str, stream: Stream, arrived: Arrived, line: int) -> list[int]:
    """The loaded lines whose key may mean the same as that of a superseded one (0 and -0 do)."""
    content = parse(arrived.lines[line - 1])
    found = []
    for winner, row in arrived.loaded.items():
        try:
            for name in stream.key:
                column = stream.column(name)
                value = "form1" if column.path.startswith("@") else said(content, column.path)
                compare(column, value, row[name], KEY.value, empty_is_null(source, stream))
        except Wrong:
            continue
        found.append(winner)
    return found


def empty_is_null(source: str, stream: Stream) -> tuple[str, ...]:
    return SUITES[source][stream.name].empty_is_null
