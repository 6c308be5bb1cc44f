"""The command `boscard forget` on an empty home; tests/personal has it at work."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from boscard.cli import main
from boscard.home import Home
from ingest.batch import CALLS, Unit
from ingest.exchange import Page
from ingest.landing import Landing

LIST = Unit("hubspot", "1", "owners", None)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("BOSCARD_HOME", str(tmp_path))
    return Home(tmp_path)


def called(*options: str) -> Result:
    return CliRunner().invoke(main, ["forget", *options])


def test_who_was_never_here_is_forgotten_at_once(home: Home) -> None:
    done = called("--email", "ada@post.example")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "landing    nothing of this person is there (any more)",
        "warehouse  rows 0",
        "searched   publications, page, messages, logs: the address is nowhere",
        "not here   HubSpot, Typeform: erase the person there too, or they land again",
        "not here   backups, and copies that people made: erase or replace those made before",
        "not here   logs outside of the home (a container's, a collector's): they rotate",
        "not here   Airflow's database, where it is on a server: `boscard upkeep` cleans it",
    ]
    assert [path.name for path in home.root.rglob("*") if path.is_file()] == ["writer.lock"]


def test_what_is_no_address_is_refused(home: Home) -> None:
    done = called("--email", "Ada")
    assert (done.exit_code, done.output) == (1, "Error: 'Ada' is no e-mail address\n")


def test_an_address_in_the_url_of_a_call_is_found(home: Home) -> None:
    page = Page(rows=[], url="https://vendor.example/search?q=Ada%40Post.example")
    batch = Landing(home.landing).write(LIST, date(2026, 11, 1), [page])
    done = called("--email", "ada@post.example")
    assert (done.exit_code, f"still in   {batch.path / CALLS}\n" in done.output) == (1, True)


def test_an_address_that_is_still_somewhere_ends_with_1(home: Home) -> None:
    home.logs.mkdir()
    (home.logs / "x.log").write_text("ADA@post.example")
    done = called("--email", "ada@post.example")
    assert done.exit_code == 1
    assert f"still in   {home.logs / 'x.log'}\n" in done.output
