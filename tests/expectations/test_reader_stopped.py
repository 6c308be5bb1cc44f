"""Where the reader stops, what is told names the line and says nothing of what stands in it."""

from __future__ import annotations

import pytest

from expectations import typed
from tests.expectations.conftest import Stage, clean_row, to_line

TWICE = '{{"id":"2","properties":{{"email":"{0}","email":"{0}"}}}}'


@pytest.mark.parametrize(
    "text", ["a person", "ä" * 300, " " + "ä" * 300], ids=["short", "cut", "cut elsewhere"]
)
def test_a_message_that_quotes_the_row_is_not_passed_on(stage: Stage, monkeypatch, text) -> None:
    """The vendor's row stands in DuckDB's own message, cut in the middle of a character."""
    monkeypatch.setattr(typed, "sift", lambda path, leaves, readable: _copy(path, readable))
    rows = [to_line(clean_row("hubspot", "contacts", 1)), TWICE.format(text).encode()]
    with pytest.raises(typed.ReaderStopped) as stopped:
        stage("hubspot", "contacts", rows)
    assert str(stopped.value) == "the rows cannot be read, near line 2"
    assert stopped.value.__suppress_context__


@pytest.mark.parametrize("text", ["a person", "ä" * 300, " " + "ä" * 300])
def test_such_a_row_is_set_aside_alone(stage: Stage, text) -> None:
    rows = [to_line(clean_row("hubspot", "contacts", 1)), TWICE.format(text).encode()]
    assert [row["contact_id"] for row in stage("hubspot", "contacts", rows)] == ["1"]
    assert stage.unreadable() == [(2, "email is there twice")]


def _copy(path, readable) -> list:
    from expectations.lines import read_lines

    readable.write_bytes(b"".join(line + b"\n" for lines in read_lines(path) for line in lines))
    return []
