"""Progress: plain lines for whoever reads them."""

from __future__ import annotations

import io
from datetime import date

import pytest

from ingest.batch import Unit, Window
from ingest.progress import Lines, Quiet, unit_label

UNIT = Unit("google_ads", "111", "ads", Window(date(2026, 1, 1), date(2026, 1, 2)))


def work(progress):
    progress.started(UNIT)
    progress.page(UNIT, 1000)
    progress.page(UNIT, 234)
    progress.ended(UNIT, "1,234 rows [done]")


@pytest.mark.parametrize(
    ("every", "lines"),
    [(60, []), (0, ["1,000 rows so far", "1,234 rows so far"])],
    ids=["a short pull", "a long pull"],
)
def test_plain_lines(every, lines):
    stream = io.StringIO()
    work(Lines(stream, every))
    assert stream.getvalue().splitlines() == [
        f"google_ads 111 ads 2026-01-01..2026-01-02: {words}"
        for words in [*lines, "1,234 rows [done]"]
    ]


def test_quiet_says_nothing(capsys):
    work(Quiet())
    assert capsys.readouterr() == ("", "")


def test_lines_go_to_stderr_unless_told_otherwise(capsys):
    work(Lines())
    assert "1,234 rows" in capsys.readouterr().err


def test_a_complete_list_has_no_days():
    assert unit_label(Unit("hubspot", "24", "owners", None)) == "hubspot 24 owners"
