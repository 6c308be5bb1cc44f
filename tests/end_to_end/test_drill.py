"""The drill (`make drill`): a machine is lost, and comes back from its backup alone."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest
from rich.console import Console

from boscard.airflow_home import DATABASE
from boscard.backup import back_up
from boscard.home import Home
from boscard.restore import restore
from boscard.settings import read_settings
from publish.content_hash import table_hash
from publish.embedded import running
from publish.history import HISTORY, PUBLICATIONS
from publish.login import READER
from publish.postgres import transaction
from publish.read import current_record, read
from tests.end_to_end.nights import Installation, installed, write_small_settings

pytestmark = pytest.mark.slow

FIRST = date(2026, 10, 30)
SECOND, THIRD = FIRST + timedelta(days=1), FIRST + timedelta(days=2)


@pytest.fixture
def settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository's settings with a smaller company and a shorter history."""
    path = tmp_path / "boscard.toml"
    write_small_settings(path, date(2026, 7, 5), 0.1)
    monkeypatch.setenv("BOSCARD_SETTINGS", str(path))
    monkeypatch.delenv(DATABASE, raising=False)
    return path


def test_what_was_lost_comes_back(
    settings_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = read_settings(settings_file)
    with installed(tmp_path, settings) as lost:
        lost.run(FIRST)
        published = lost.run(SECOND)
        made, _ = back_up(lost.home, tmp_path / "backups")
        shown = of_postgres(lost.home)

        back = Installation(settings, Home(tmp_path / "back"), lost.sandbox, lost.base_url)
        assert restore(back.home, made, Console()) == 0
        assert "the same to the last row" in capsys.readouterr().out
        assert current_record(back.home) == published.record
        assert of_postgres(back.home) == shown
        assert read("kpi_values", back.home).equals(read("kpi_values", lost.home))
        assert (back.home.site / "index.html").exists()
        assert not (back.home.root / ".restoring").exists()

        # And it goes on as if nothing had been: the next night is the one it would have been. Of
        # the two, one only may ask the vendors: they give a new refresh token for each used one.
        again = back.run(THIRD)
        shutil.copytree(back.home.tokens, lost.home.tokens, dirs_exist_ok=True)
        night = lost.run(THIRD)
        assert again.content_hash == night.content_hash
        assert again.publication_id == night.publication_id
        assert again.record.sequence == night.record.sequence == 3
        assert dict(again.changes) == dict(night.changes)


def of_postgres(home: Home) -> dict[str, object]:
    """What BI finds: the hash of each table of history, the rows of each view, the reader's URL."""
    with running(home) as server:
        url = server.login(READER).url
        with transaction(url) as database:
            history = {view.name: table_hash(database.fetch(view), view) for view in HISTORY}
            assert database.fetch(PUBLICATIONS).num_rows == 2
        with psycopg.connect(url) as connection:
            views = connection.execute(
                "select table_name::text from information_schema.views where table_schema = 'kpi'"
            ).fetchall()
            rows = {
                name: connection.execute(f"select count(*) from kpi.{name}".encode()).fetchone()
                for (name,) in sorted(views)
            }
    return {**history, **rows, "password": server.login(READER).password}
