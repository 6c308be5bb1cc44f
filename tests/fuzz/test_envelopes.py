"""Whatever an answer's bytes are, the client refuses it or hands on exactly the rows it holds."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.errors import IngestError
from ingest.registry import SOURCES
from tests.expectations.conftest import clean_row, to_line
from tests.fuzz.conftest import ROUNDS
from tests.fuzz.meaning import parse
from tests.fuzz.rows import FRAGMENTS, fragments
from tests.fuzz.way import body_of, page_of

STREAMS = {
    "google_ads": SOURCES["google_ads"].streams["campaign_daily"],
    "hubspot": SOURCES["hubspot"].streams["contacts"],
    "typeform": SOURCES["typeform"].streams["responses"],
}
DEEP = b"[" * 5000 + b"]" * 5000
BLANKS = (b"", b" ", b"\t", b"\n", b"\r\n", b"\n    ", b"\r")
# Bytes that JSON, text or a line of ours may stumble over.
BYTES = (
    *(b"", b"\xef\xbb\xbf", b"\xff", b"\xc3", b"\x00", b"\x1f", b"\xe2\x80\xa8", b"\xed\xa0\x80"),
    *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"'", b"//", b"/**/", b"NaN", b"Infinity"),
    *(b"\n", b"\r", b"\r\n", b"\t", b"01", b"+1", b".5", b"1.", b"-", b"None", b"True", b"null"),
    *(b"\\ud800", b"\\u12", b"\\x41", b"<html>", b'{"results":[]}'),
)
REFUSAL = re.compile(
    r"(?P<title>[\w ]+): the answer of https://vendor\.test/rows "
    r"(is cut off or no JSON \((?P<cut>Input data was truncated|.*(byte|position) \d+.*)\)"
    r"|is nested too deep \((?P<deep>.+)\)"
    r"|has another shape \((?P<shape>the whole of it|'[^']*'): .+\)"
    r"|holds no '(?P<missing>\w+)')",
    re.DOTALL,
)


@pytest.mark.parametrize("source", STREAMS)
@settings(derandomize=not ROUNDS, max_examples=100 * (ROUNDS or 4), database=None)
@given(
    values=st.lists(fragments, min_size=1, max_size=3),
    blank=st.sampled_from(BLANKS),
    place=st.floats(0, 1),
    removed=st.integers(0, 3),
    put=st.sampled_from(BYTES),
    is_cut=st.booleans(),
)
@example(values=[b'{"a":"\\ud800"}'], blank=b"\r\n", place=0.0, removed=0, put=b"", is_cut=False)
def test_rows_are_those_of_the_answer(source, values, blank, place, removed, put, is_cut) -> None:
    sound = to_line(clean_row(source, STREAMS[source].name, 1))
    whole = body_of(source, STREAMS[source], [sound, *values], blank)
    at = int(place * len(whole))
    body = whole[:at] + put + (b"" if is_cut else whole[at + removed :])
    try:
        page = page_of(source, STREAMS[source], body)
    except IngestError as error:
        is_explained(error, source, body)
        return
    lines = [bytes(row) for row in page.rows]
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    content = parse(body)
    rows = content.get(rows_of(source), [])
    assert [plain(parse(line)) for line in lines] == [plain(row) for row in rows]


@pytest.mark.parametrize("source", STREAMS)
@pytest.mark.parametrize("blank", BLANKS, ids=repr)
def test_an_answer_in_order_is_taken(source, blank) -> None:
    page = page_of(source, STREAMS[source], body_of(source, STREAMS[source], FRAGMENTS, blank))
    assert len(page.rows) == len(FRAGMENTS)


@pytest.mark.parametrize("source", STREAMS)
@pytest.mark.parametrize(
    ("body", "part"),
    [
        pytest.param(b"", "cut off", id="nothing"),
        pytest.param(b"[]", "the whole of it", id="a list"),
        pytest.param(b"{}", "no '<rows>'", id="no rows"),
        pytest.param(b'{"<rows>":3}', "'<rows>': ", id="a number for rows"),
        pytest.param(b'{"<rows>":[],"total":1e999}', "'total': ", id="a total beyond all numbers"),
        pytest.param(b'{"<rows>":[{"a":01}]}', "byte ", id="a bad number"),
        pytest.param(b'{"<rows>":["\xff"]}', "position ", id="no UTF-8"),
        pytest.param(b'{"<rows>":' + DEEP + b"}", "nested too deep", id="too deep"),
    ],
)
def test_a_refusal_names_the_part(source, body, part) -> None:
    rows = rows_of(source)
    sent = body.replace(b"<rows>", rows.encode())
    with pytest.raises(IngestError, match=re.escape(part.replace("<rows>", rows))) as refused:
        page_of(source, STREAMS[source], sent)
    is_explained(refused.value, source, sent)


def rows_of(source: str) -> str:
    return "items" if source == "typeform" else "results"


def is_explained(error: IngestError, source: str, body: bytes) -> None:
    """It names vendor, address and the part at fault, and Python finds a fault there too."""
    found = REFUSAL.fullmatch(error.message)
    assert found is not None, error.message
    assert found["title"] == SOURCES[source].title
    rows = rows_of(source)
    try:
        content = parse(body)
    except (ValueError, RecursionError):
        assert found["cut"] or found["deep"] or found["shape"], error.message
        return
    if not isinstance(content, dict):
        assert found["shape"] == "the whole of it"
    elif rows not in content:
        assert found["missing"] == rows
    elif not isinstance(content[rows], list):
        assert found["shape"] == repr(rows)
    else:
        assert found["shape"] in map(repr, content), error.message
        assert "Number out of range" in error.message


def plain(content: object) -> str:
    """Comparable, and half a character is the sign for one that is lost."""
    text = json.dumps(content, default=repr, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode().replace("\ufffd", "?")
