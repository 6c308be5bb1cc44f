"""What a night ends with, on a terminal: what a vendor wrote is text there, never markup."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from boscard.home import Home
from boscard.nightly import DagOutcome
from boscard.summary import print_summary


@dataclass
class Ended:
    complaints_: tuple[str, ...] = ()
    is_published: bool = True
    home: Home = field(default_factory=lambda: Home(Path("/somewhere/[red]")))

    def published(self):
        record = SimpleNamespace(
            publication_id="20261104_abc", content_hash="ff00", as_of_date=date(2026, 11, 4)
        )
        return record if self.is_published else None

    def complaints(self):
        return list(self.complaints_)


def summary(night, *outcomes):
    out = io.StringIO()
    took = timedelta(seconds=96)
    code = print_summary(night, outcomes, took, Console(file=out, width=300, color_system=None))
    return code, out.getvalue()


def test_a_whole_night_exits_with_0():
    code, text = summary(Ended(), DagOutcome("scorecard", "success", (), Path("x.log")))
    assert code == 0
    assert "published in 96 s: 20261104_abc" in text
    assert "/somewhere/[red]/site/index.html" in text
    assert "x.log" not in text


@pytest.mark.parametrize("vendor_text", ["[/b] oops", "[link=http://evil]x[/link]", "[code]"])
def test_what_a_vendor_wrote_is_shown_as_it_is(vendor_text):
    code, text = summary(Ended((f"HubSpot: {vendor_text}",)))
    assert code == 3
    assert vendor_text in text


def test_a_night_that_was_not_published_exits_with_1_and_names_the_log():
    failed = DagOutcome("scorecard", "failed", ("audit",), Path("/logs/scorecard.log"))
    code, text = summary(Ended(("nothing",), is_published=False), failed)
    assert code == 1
    assert "not published" in text
    assert "scorecard failed (audit): /logs/scorecard.log" in text
