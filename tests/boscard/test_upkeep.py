"""What upkeep removes, and what it leaves."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from boscard import airflow_home, upkeep
from boscard.airflow_home import DATABASE, DATABASE_TO_CLEAN
from boscard.atomic import locked
from boscard.home import PROJECT, Home
from boscard.settings import read_settings
from boscard.upkeep import (
    PARTS,
    Checked,
    check_publication,
    checkpoint,
    clean_airflow,
    compact_landing,
    everything,
    index_landing,
    prune_publications,
    release_bytes,
    remove_logs,
)
from ingest.batch import CALLS, MANIFEST, QUARANTINE, RELEASED, ROWS, TYPED, VERDICT
from ingest.errors import Refused
from ingest.landing import Landing
from tests.warehouse.landed import land
from warehouse.connection import connect
from warehouse.errors import WarehouseBusy
from warehouse.lock import writer_lock

SETTINGS = read_settings(PROJECT / "boscard.toml")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OLD = NOW.date() - timedelta(days=SETTINGS.upkeep.keep_bytes + 1)
DAY = date(2026, 1, 5)
LOTS = [{"campaign_id": str(number), "report_date": DAY} for number in range(3_000)]


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "var")


@pytest.fixture
def landed(home):
    def land_day(as_of, **options):
        row = {"campaign_id": "1", "report_date": DAY}
        return land(
            Landing(home.landing), "google_ads", "1", "campaign_daily", [row],
            as_of=as_of, window=(DAY, DAY), **options,
        )  # fmt: skip

    return land_day


def test_the_bytes_of_an_old_replaced_batch_go_and_all_else_stays(home, landed):
    old, new = landed(OLD), landed(OLD + timedelta(days=1))
    size = (old.path / ROWS).stat().st_size
    freed = release_bytes(home, SETTINGS, NOW)
    assert (freed.items, freed.bytes) == (1, size)
    kept = {CALLS, MANIFEST, QUARANTINE, RELEASED, TYPED, VERDICT}
    assert {path.name for path in old.path.iterdir()} == kept
    assert (old.path / RELEASED).stat().st_mode & 0o777 == 0o600
    assert (new.path / ROWS).exists()
    assert release_bytes(home, SETTINGS, NOW).items == 0
    assert len(Landing(home.landing).batches()) == 2


@pytest.mark.parametrize(
    ("as_of", "then"),
    [
        pytest.param(OLD + timedelta(days=1), {}, id="not old enough"),
        pytest.param(OLD, {"state": "held"}, id="what came later is held"),
        pytest.param(OLD, {"gated": False}, id="what came later is not judged"),
    ],
)
def test_the_bytes_stay(home, landed, as_of, then):
    landed(as_of)
    landed(as_of, **then)
    assert release_bytes(home, SETTINGS, NOW).items == 0


def test_the_bytes_stay_where_typed_rows_are_missing(home, landed):
    (landed(OLD).path / TYPED).unlink()
    landed(OLD)
    assert release_bytes(home, SETTINGS, NOW).items == 0


def test_rows_are_compacted_when_a_week_has_passed(home):
    landing = Landing(home.landing)
    old, new = (
        land(landing, "google_ads", "1", "campaign_daily", LOTS, as_of=as_of, window=(DAY, DAY))
        for as_of in (NOW.date() - timedelta(days=8), NOW.date() - timedelta(days=7))
    )
    before = (old.path / ROWS).stat().st_size
    freed = compact_landing(home, SETTINGS, NOW)
    assert str(freed).startswith("landing: 1 compacted, ")
    assert freed.bytes == before - (old.path / ROWS).stat().st_size > 0
    assert [batch.manifest.compacted_at for batch in landing.batches()] == [
        NOW.isoformat(),
        None,
    ]
    assert landing.read_rows(old) == landing.read_rows(new)


def test_one_damaged_batch_is_told_of_when_all_others_are_compacted(home, caplog):
    landing = Landing(home.landing)
    old = [
        land(landing, "google_ads", "1", "campaign_daily", LOTS, as_of=OLD, window=(DAY, DAY))
        for _ in range(3)
    ]
    (old[0].path / ROWS).write_bytes(b"words")
    with pytest.raises(Refused, match=r"1 of landing's batches .* from a backup"):
        compact_landing(home, SETTINGS, NOW)
    is_done = [batch.manifest.compacted_at is not None for batch in landing.batches()]
    assert is_done == [False, True, True]
    assert "damaged" in caplog.text


def test_batches_of_long_ago_are_indexed(home, landed):
    old = landed(NOW.date() - timedelta(days=101))
    landed(NOW.date() - timedelta(days=100))
    assert str(index_landing(home, SETTINGS, NOW)) == (
        "landing's index: 1 batches older than 100 nights"
    )
    states = [(name.folder, name.state) for name in Landing(home.landing).names(is_indexed=True)]
    assert states[0] == (old.folder, "passed")
    assert [state for _, state in states[1:]] == [None]


def test_a_part_that_fails_keeps_no_other_from_its_work(home, monkeypatch):
    def full(*_):
        raise OSError("no room")

    monkeypatch.setattr(upkeep, "PARTS", {"full": full, "checkpoint": checkpoint})
    said = everything(home, SETTINGS, NOW)
    assert [next(said), next(said)] == [
        "full: NOT DONE: no room",
        "warehouse: 0 removed, 0.0 MB",
    ]
    with pytest.raises(OSError, match="no room"):
        next(said)


def test_bytes_go_when_nobody_is_at_the_batch(home, landed):
    old, _ = landed(OLD), landed(OLD)
    with ThreadPoolExecutor() as pool:
        with locked(old.path):
            asked = pool.submit(release_bytes, home, SETTINGS, NOW)
            with pytest.raises(TimeoutError):
                asked.result(0.3)
            assert (old.path / ROWS).exists()
        assert asked.result(10).items == 1
    assert not (old.path / ROWS).exists()


def test_only_logs_of_long_ago_are_removed(home):
    folder = home.logs / "airflow" / "dag_id=scorecard"
    folder.mkdir(parents=True)
    old = (NOW - timedelta(days=SETTINGS.upkeep.keep_logs, seconds=1)).timestamp()
    new = (NOW - timedelta(days=SETTINGS.upkeep.keep_logs - 1)).timestamp()
    for path, when in ((folder / "a.log", old), (home.logs / "b.log", new)):
        path.write_text("words")
        os.utime(path, (when, when))
    freed = remove_logs(home, SETTINGS, NOW)
    assert (freed.items, freed.bytes) == (1, 5)
    assert (home.logs / "b.log").exists()
    assert not (folder / "a.log").exists()


def test_a_checkpoint_leaves_no_log_and_waits_for_no_writer(home):
    connection = connect(home.warehouse)
    connection.execute("create table t as select range from range(1000)").fetchall()
    connection.close()
    checkpoint(home, SETTINGS, NOW)
    assert not home.warehouse.with_name("warehouse.duckdb.wal").exists()
    with writer_lock(home), pytest.raises(WarehouseBusy):
        checkpoint(home, SETTINGS, NOW)


def test_files_without_a_publication_are_let_be(home):
    """A night was killed after its files and before the link: its rerun completes it."""
    home.publications.mkdir(parents=True)
    (home.publications / "marts_20261122_abc.duckdb").write_bytes(b"")
    assert prune_publications(home, SETTINGS, NOW).items == 0
    assert len(list(home.publications.glob("marts_*"))) == 1


def test_nothing_to_do_is_no_error(home, monkeypatch):
    monkeypatch.delenv(DATABASE, raising=False)
    said = {name: str(part(home, SETTINGS, NOW)) for name, part in PARTS.items()}
    assert said.pop("clean_airflow") == "Airflow's database: there is none"
    assert "not compared" in said.pop("check_publication")
    assert said.pop("index_landing") == "landing's index: 0 batches older than 100 nights"
    assert said.pop("compact_landing") == "landing: 0 compacted, 0.0 MB"
    assert {words.partition(": ")[2] for words in said.values()} == {"0 removed, 0.0 MB"}
    assert not home.airflow.exists()


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """A program in Airflow's place that writes down what it was asked, and of which database."""
    program, asked = tmp_path / "airflow", tmp_path / "asked"
    program.write_text(f'#!/bin/sh\necho "${DATABASE} $*" >{asked}\n')
    program.chmod(0o700)
    monkeypatch.setattr(airflow_home, "airflow_command", lambda: str(program))
    monkeypatch.setenv(DATABASE, "airflow-db-not-allowed:///")  # as Airflow does in its tasks
    return asked


def test_a_task_cleans_the_database_it_is_told_of(home, asked, monkeypatch):
    monkeypatch.setenv(DATABASE_TO_CLEAN, "postgresql://airflow@db/airflow")
    assert clean_airflow(home, SETTINGS, NOW) == "Airflow's database: cleaned"
    oldest = (NOW - timedelta(days=SETTINGS.upkeep.keep_logs)).isoformat()
    assert asked.read_text().split() == [
        *["postgresql://airflow@db/airflow", "db", "clean", "--clean-before-timestamp", oldest],
        *["--yes", "--skip-archive"],
    ]


def test_a_task_that_is_told_of_no_database_says_so(home, asked, monkeypatch):
    monkeypatch.delenv(DATABASE_TO_CLEAN, raising=False)
    assert DATABASE_TO_CLEAN in clean_airflow(home, SETTINGS, NOW)
    assert not asked.exists()


def test_the_publication_is_not_compared_while_a_night_is_at_work(home):
    home.publications.mkdir(parents=True)
    assert check_publication(home, SETTINGS, NOW) == Checked(None)
    with writer_lock(home), pytest.raises(WarehouseBusy):
        check_publication(home, SETTINGS, NOW)
