"""The landed lines: counted and picked across the chunks of a file."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations import lines
from expectations.lines import SAMPLE, Fields, are_as_landed, pick, read_lines, survey

LINES = st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"")), max_size=40)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("lines") / "rows.ndjson.zst"

    def write(rows):
        content = b"".join(row + b"\n" for row in rows)
        path.write_bytes(pa.compress(content, "zstd", asbytes=True))
        return path, content

    return write


@given(rows=LINES, chunk=st.integers(1, 30))
def test_any_chunk_size_gives_the_same_lines(written, rows, chunk):
    path, _ = written(rows)
    before, lines._CHUNK = lines._CHUNK, chunk
    try:
        assert [line for group in read_lines(path) for line in group] == rows
        found = survey(path, len(rows))
        assert (found.rows, found.sample) == (len(rows), tuple(rows))
        assert found.is_suspect == any(not row.startswith(b"{") for row in rows)
        wanted = range(1, len(rows) + 1, 2)
        assert list(pick(path, wanted)) == [(number, rows[number - 1]) for number in wanted]
    finally:
        lines._CHUNK = before


def test_rows_are_held_against_what_was_landed_by_file_or_else_by_content(written):
    path, content = written([b'{"id":"1"}'])
    stored = path.read_bytes()

    def manifest(of_rows, of_file):
        told = {"sha256": of_rows and hashlib.sha256(of_rows).hexdigest()}
        told["stored_sha256"] = of_file and hashlib.sha256(of_file).hexdigest()
        return SimpleNamespace(**told)

    assert are_as_landed(path, manifest(None, stored))
    assert are_as_landed(path, manifest(content, stored + b"more"))  # pressed in another way
    assert not are_as_landed(path, manifest(b'{"id":"2"}\n', stored + b"more"))
    assert are_as_landed(path, manifest(content, None))
    assert not are_as_landed(path, manifest(b'{"id":"2"}\n', None))


def test_the_sample_is_spread_over_the_file(written):
    rows = [b'{"n":%d}' % number for number in range(10 * SAMPLE)]
    path, _ = written(rows)
    assert survey(path, len(rows)).sample == tuple(rows[::10])


def test_fields_are_dotted_paths_and_lists_are_not_followed():
    sample = [b'{"id":1,"a":{"b":{"c":null},"d":[{"e":1}],"f":{}}}', b"broken", b"[1]"]
    assert Fields.of(sample).paths == {"id", "a.b.c", "a.d", "a.f"}
