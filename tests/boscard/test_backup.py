"""A backup is whole or none; a restore puts in place what was backed up, or nothing."""

from __future__ import annotations

import json
import sqlite3
import time
from datetime import UTC, date, datetime

import pytest
from click.testing import CliRunner
from rich.console import Console

from boscard import backup as backing_up
from boscard.airflow_home import DATABASE
from boscard.backup import AIRFLOW_DATABASE, HOME, LIST, BackupFailed, back_up, read_backup
from boscard.cli import main
from boscard.home import Home
from boscard.restore import RestoreRefused, restore
from ingest.batch import CALLS, ROWS
from ingest.landing import Landing
from tests.warehouse.landed import land

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = date(2026, 11, 22)
QUIET = Console(quiet=True)


@pytest.fixture(autouse=True)
def _airflow_of_our_own(monkeypatch):
    monkeypatch.delenv(DATABASE, raising=False)


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "var")
    row = {"campaign_id": "1", "report_date": DAY}
    for _ in range(2):
        land(
            Landing(home.landing), "google_ads", "1", "campaign_daily", [row],
            as_of=DAY, window=(DAY, DAY),
        )  # fmt: skip
    write(home, "landing/google_ads/reports/2026-11-22.json", "{}")
    write(home, "secrets/hash_key", "k" * 64)
    write(home, "outbox/late.2026-11-22.txt", "late")
    write(home, "tokens/hubspot.token", "sealed")
    write(home, "airflow/secrets/fernet_key", "f")
    write(home, "postgres/passwords/kpi_reader", "p")
    return home


@pytest.fixture
def to(tmp_path):
    return tmp_path / "backups"


def write(home, name, text):
    path = home.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)


def files(root):
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


@pytest.fixture
def nothing_revived(monkeypatch):
    """Warehouse, Postgres and page are the drill's business."""
    monkeypatch.setattr("boscard.restore._revive", lambda *_: 0)


@pytest.mark.usefixtures("nothing_revived")
def test_what_is_restored_is_what_was_backed_up(home, to, tmp_path):
    made, backup = back_up(home, to, NOW)
    other = Home(tmp_path / "other")
    assert restore(other, made, QUIET) == 0
    assert files(other.root) == files(home.root)
    assert (other.root / "secrets/hash_key").stat().st_mode & 0o777 == 0o600
    assert made.name == "20261123T120000Z"
    assert backup.size == sum(map(len, files(home.root).values()))


def test_what_is_rebuilt_or_of_this_machine_is_left_out(home, to):
    left_out = (
        "warehouse/warehouse.duckdb", "warehouse/writer.lock", "dbt/manifest.json",
        "site/index.html", "logs/a.log", "postgres/data/PG_VERSION", "airflow/airflow.cfg",
        "nightly.lock", "replays/2026-11-01/landing", "outbox/.late.txt.part",
        "tokens/hubspot.lock", "scratch/writer", "spilled/x/part",
        "landing/google_ads/1/campaign_daily/.pulling_x/rows.ndjson.zst",
        "landing/google_ads/1/campaign_daily/000003_half/rows.ndjson.zst",
        "landing/google_ads/1/campaign_daily/index.json",
    )  # fmt: skip
    before = set(files(home.root))
    for name in left_out:
        write(home, name, "x")
    made, backup = back_up(home, to, NOW)
    assert {entry.path for entry in backup.files} == before == set(files(made / HOME))


def test_everything_in_a_backup_is_private(home, to):
    (home.root / "outbox/late.2026-11-22.txt").chmod(0o644)
    made, _ = back_up(home, to, NOW)
    for path in (to, made, *made.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0


def test_airflows_database_is_copied_while_it_is_written(home, to):
    with sqlite3.connect(home.root / AIRFLOW_DATABASE) as live:
        live.execute("create table variable (key, val)")
        live.execute("insert into variable values ('boscard_token_hubspot', 'sealed')")
        live.commit()
        live.execute("insert into variable values ('not', 'committed')")
        made, _ = back_up(home, to, NOW)
        live.rollback()
    with sqlite3.connect(made / HOME / AIRFLOW_DATABASE) as copy:
        assert copy.execute("select * from variable").fetchall() == [
            ("boscard_token_hubspot", "sealed")
        ]


def changing(monkeypatch, times, change):
    """Each of the first `times` files copied has something change beside it."""
    copy, left = backing_up.copy_file, [times]

    def copied(path, target):
        done = copy(path, target)
        if path.name == ROWS and left[0]:
            left[0] -= 1
            change(path)
        return done

    monkeypatch.setattr(backing_up, "copy_file", copied)


def test_a_batch_that_changes_meanwhile_is_copied_again(home, to, monkeypatch):
    """Its files in the backup are of one moment: one that was copied already is another by now."""

    def rewritten(path):
        part = path.with_name("new")
        part.write_bytes(b"of another moment")
        part.replace(path.with_name(CALLS))

    changing(monkeypatch, 1, rewritten)
    made, _ = back_up(home, to, NOW)
    assert files(made / HOME) == files(home.root)


def test_bytes_that_are_released_meanwhile_are_not_missed(home, to, monkeypatch):
    changing(monkeypatch, 1, lambda path: path.unlink())
    made, backup = back_up(home, to, NOW)
    assert files(made / HOME) == files(home.root)
    assert {entry.path for entry in backup.files} == set(files(home.root))


def test_what_never_stands_still_is_no_backup(home, to, monkeypatch):
    changing(monkeypatch, 99, lambda path: write(home, path.with_name(f"{time.time_ns()}"), ""))
    with pytest.raises(BackupFailed, match="changed while it was copied"):
        back_up(home, to, NOW)
    assert list(to.glob("[0-9]*")) == []


class Killed(BaseException):
    """What no code catches, as a SIGKILL."""


@pytest.mark.parametrize("step", ["copy_file", "write_whole"])
def test_a_backup_that_was_killed_is_none_and_the_next_one_is_whole(home, to, step, monkeypatch):
    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(backing_up, step, killed)
        with pytest.raises(Killed):
            back_up(home, to, NOW)
    assert list(to.glob("[0-9]*")) == []
    assert read_backup(to / ".backup.part") is None
    with pytest.raises(RestoreRefused, match="no whole backup"):
        restore(Home(home.root.with_name("other")), to / ".backup.part", QUIET)
    made, _ = back_up(home, to, LATER)
    assert [path.name for path in to.iterdir()] == [made.name]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(lambda path: path.write_text("sealeD"), "tokens/hubspot.token is", id="a bit"),
        pytest.param(lambda path: path.unlink(), "tokens/hubspot.token is missing", id="missing"),
    ],
)
def test_a_backup_that_is_not_what_it_was_restores_nothing(home, to, tmp_path, spoil, words):
    made, _ = back_up(home, to, NOW)
    spoil(made / HOME / "tokens/hubspot.token")
    other = Home(tmp_path / "other")
    with pytest.raises(RestoreRefused, match=words):
        restore(other, made, QUIET)
    assert list(other.root.iterdir()) == []


def test_a_home_in_use_is_let_be(home, to):
    made, _ = back_up(home, to, NOW)
    before = files(home.root)
    with pytest.raises(RestoreRefused, match=r"is in use: .* is there; set BOSCARD_HOME"):
        restore(home, made, QUIET)
    assert files(home.root) == before


def test_the_backups_there_are_named(home, to, tmp_path):
    back_up(home, to, NOW)
    with pytest.raises(RestoreRefused, match="no whole backup is there; there are: 20261123T12"):
        restore(Home(tmp_path / "other"), to, QUIET)


@pytest.mark.parametrize("change", [{"format": 2}, {"files": [{"path": "../x", "bytes": 0}]}, None])
def test_a_list_that_cannot_be_followed_is_refused(home, to, tmp_path, change):
    made, _ = back_up(home, to, NOW)
    listed = json.loads((made / LIST).read_text())
    if change and "files" in change:
        change = {"files": [listed["files"][0] | change["files"][0]]}
    (made / LIST).write_text(json.dumps(listed | change) if change else "{")
    with pytest.raises(RestoreRefused, match=r"was made by|names '../x'|cannot be read"):
        restore(Home(tmp_path / "other"), made, QUIET)
    assert not (tmp_path / "x").exists()


def test_a_restore_that_was_killed_goes_on(home, to, tmp_path, monkeypatch):
    made, _ = back_up(home, to, NOW)
    other = Home(tmp_path / "other")

    def killed(*_):
        raise Killed

    for step in ("_stage", "_put_in_place", "_revive"):
        with monkeypatch.context() as patch:
            patch.setattr(f"boscard.restore.{step}", killed)
            with pytest.raises(Killed):
                restore(other, made, QUIET)
    second, _ = back_up(home, to, LATER)
    with pytest.raises(RestoreRefused, match="of another backup was cut short"):
        restore(other, second, QUIET)
    monkeypatch.setattr("boscard.restore._revive", lambda *_: 0)
    assert restore(other, made, QUIET) == 0
    assert files(other.root) == files(home.root)


def test_nothing_to_back_up_and_a_folder_within_the_home_are_told(home, to, tmp_path):
    with pytest.raises(BackupFailed, match="nothing has landed there"):
        back_up(Home(tmp_path / "empty"), to, NOW)
    with pytest.raises(BackupFailed, match="name a folder on another disk"):
        back_up(home, home.root / "backups", NOW)


@pytest.mark.parametrize(
    ("elsewhere", "told"),
    [
        pytest.param(False, [], id="all of it is here"),
        pytest.param(True, ["boscard_hash_key", "Airflow's database"], id="a server of one's own"),
    ],
)
def test_the_command_tells_what_else_a_restore_will_need(home, to, monkeypatch, elsewhere, told):
    monkeypatch.setenv("BOSCARD_HOME", str(home.root))
    if elsewhere:
        monkeypatch.setenv(DATABASE, "postgresql://airflow@db/airflow")
        (home.root / "secrets/hash_key").unlink()
    result = CliRunner().invoke(main, ["backup", "--to", str(to)])
    assert result.exit_code == 0
    [made] = to.iterdir()
    lines = result.output.splitlines()
    assert lines[0].startswith(f"{made}: ")
    assert lines[1] == "publication none"
    assert len(lines) == 2 + len(told)
    for line, words in zip(lines[2:], told, strict=True):
        assert words in line
