"""What `boscard replay` says of a rebuilt night, and how it ends.

The rebuilding itself is tried on whole nights, in end_to_end.
"""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from boscard.replay import Replay, print_replay
from warehouse.replay import Rebuilt

REBUILT = SimpleNamespace(content_hash="c", definitions_hash="d", batches_hash="b")


def replayed(published, ungated=0):
    rebuilt = Rebuilt(nights=1, batches=2, rows=3, ungated=ungated)
    return Replay(date(2025, 11, 4), rebuilt, REBUILT, published, Path("w.duckdb"))


def said(done):
    out = io.StringIO()
    status = print_replay(done, Console(file=out, width=200))
    return status, out.getvalue()


@pytest.mark.parametrize(
    ("hashes", "status", "words"),
    [
        ("cdb", 0, "the same to the last row"),
        ("xdb", 1, "other rows from the same definitions and batches"),
        ("xyb", 0, "other rows, for definitions (seeds, models, settings) changed since"),
        ("xdy", 0, "other rows, for the batches of that night changed since"),
    ],
)
def test_other_rows_fail_unless_something_else_went_in(hashes, status, words):
    names = ("content_hash", "definitions_hash", "batches_hash")
    published = SimpleNamespace(publication_id="p", **dict(zip(names, hashes, strict=True)))
    ended, text = said(replayed(published))
    assert ended == status
    assert words in text


def test_a_night_never_published_is_compared_with_nothing():
    done = replayed(None, ungated=2)
    status, text = said(done)
    assert (status, done.is_reproduced, done.differing_inputs) == (0, None, [])
    assert "never, so there is nothing to compare with" in text
    assert "2 batches, left out" in text
