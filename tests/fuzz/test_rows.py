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
from tests.fuzz.judge import judge
from tests.fuzz.rows import Edit, Written, batches, write
from tests.fuzz.way import Arrived, body_of, is_one_row_a_page, page_of, row_by_row, travel

STREAMS = [
    pytest.param(source.name, stream, id=f"{source.name}.{stream.name}")
    for source in SOURCES.values()
    for stream in source.streams.values()
]


@pytest.mark.parametrize(("source", "stream"), STREAMS)
@fuzz
@given(data=st.data())
def test_each_row_is_accounted_for(source, stream, data, folder, examiner, raw, tried) -> None:
    written = write(source, stream, data.draw(batches(source, stream, ROWS)))
    arrived = sent(source, stream, written, row_by_row(source, stream), folder, examiner, raw)
    judge(source, stream, written, arrived)
    assert len(arrived.loaded) >= len(written) // 4
    count(tried, source, stream, written)


@pytest.mark.parametrize(("source", "stream"), STREAMS)
@fuzz
@given(data=st.data())
def test_a_batch_goes_on_or_is_held_whole_and_says_why(
    source, stream, data, folder, examiner, raw, tried
) -> None:
    """With the rules that look at the whole batch too."""
    wrong = data.draw(batches(source, stream, data.draw(st.sampled_from([1, 15, 30]))))
    written = write(source, stream, [*([()] * (120 - len(wrong))), *wrong])
    arrived = sent(source, stream, written, SUITES[source][stream.name], folder, examiner, raw)
    judge(source, stream, written, arrived)
    count(tried, source, stream, written)


def test_a_row_too_long_to_read_is_set_aside_alone(folder, examiner, raw) -> None:
    source, stream = "hubspot", SOURCES["hubspot"].streams["companies"]
    name = Edit("set", "properties.name", b'"' + b"x" * 34_000_000 + b'"')
    written = write(source, stream, [(), (name,), ()])
    arrived = sent(source, stream, written, row_by_row(source, stream), folder, examiner, raw)
    judge(source, stream, written, arrived)
    assert {line: row["reasons"] for line, row in arrived.set_aside.items()} == {
        2: ["hubspot.companies.readable"]
    }


def test_ten_thousand_edited_rows_were_tried(tried, request) -> None:
    """All of them different, by those that ran before in this process: all of this module."""
    asked = [item for item in request.session.items if item.path == request.path]
    if len(asked) < 2 * len(STREAMS) + 2:
        pytest.skip("only some tests of this module were asked for")
    assert sum(map(len, tried.values())) >= 10_000


def count(
    tried: dict[str, set[bytes]], source: str, stream: Stream, written: list[Written]
) -> None:
    """Only rows that were judged count, and only what was done to them tells them apart."""
    cases = {row.case for row in written if not row.is_sound}
    tried.setdefault(f"{source}.{stream.name}", set()).update(cases)


def sent(source, stream, written, suite, folder, examiner, raw) -> Arrived:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        return travel(
            source,
            stream,
            pages_of(source, stream, written),
            folder=Path(place),
            examiner=examiner,
            raw=raw,
            suite=suite,
        )


def pages_of(source: str, stream: Stream, written: list[Written]) -> list[Page]:
    rows = [row.line for row in written]
    parts = [[row] for row in rows] if is_one_row_a_page(source, stream) else [rows]
    return [page_of(source, stream, body_of(source, stream, part)) for part in parts]
