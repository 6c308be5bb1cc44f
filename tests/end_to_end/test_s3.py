"""A night whose landing lies in object storage, and the same night on a disk."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from shutil import copytree

import duckdb
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from boscard.backup import back_up, not_in_it
from boscard.forget import TASK, forget
from boscard.hash_key import hash_key
from boscard.home import Home
from boscard.landing import open_landing
from boscard.replay import print_replay, replay
from boscard.restore import restore
from boscard.settings import LandingPlace
from boscard.status import status
from boscard.upkeep import compact_landing, release_bytes
from expectations.quarantine import rows_set_aside
from expectations.verdict import read_verdict
from ingest.batch import RELEASED, ROWS, TYPED
from ingest.index import INDEX
from ingest.landing import Landing
from ingest.s3 import Bucket
from ingest.tokens import FileTokens
from publish.feeds import feeds
from publish.read import current_record
from tests.end_to_end.nights import Installation, installed, small_settings, write_small_settings
from tests.s3 import S3Server
from warehouse.replay import rebuild

START, FIRST = date(2026, 10, 20), date(2026, 10, 29)
BROKEN = {"vendor": "hubspot", "fault": "impossible_date", "match": "contacts"}


pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Both:
    """The same night: its batches in folders of a disk, and in a bucket."""

    on_disk: Installation
    on_s3: Installation

    @property
    def landings(self) -> list[Landing]:
        return [open_landing(one.home, one.settings) for one in (self.on_disk, self.on_s3)]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, s3_server: S3Server) -> Iterator[Both]:
    settings = small_settings(START, 0.1)
    place = LandingPlace(url=s3_server.bucket(), connection="object_storage")
    connection = s3_server.connection()
    told = {
        "conn_type": "aws",
        "login": connection.login,
        "password": connection.password,
        "extra": dict(connection.extra),
    }
    moved = settings.model_copy(update={"landing": place})
    with (
        pytest.MonkeyPatch.context() as patch,
        installed(tmp_path_factory.mktemp("disk"), settings) as on_disk,
    ):
        patch.setenv("AIRFLOW_CONN_OBJECT_STORAGE", json.dumps(told))
        # One server for both, or its port would be a difference.
        home = Home(tmp_path_factory.mktemp("s3") / "var")
        on_s3 = replace(on_disk, settings=moved, home=home)
        on_disk.sandbox.faults.add(BROKEN)
        for one in (on_disk, on_s3):
            night = one.night(FIRST)
            assert not one.ingest(night)
            night.load()
            for made in ("tokens", "secrets"):
                copytree(on_disk.home.root / made, home.root / made, dirs_exist_ok=True)
        yield Both(on_disk, on_s3)


def test_the_same_batches_land_with_the_same_verdicts(both: Both) -> None:
    found = []
    for landing in both.landings:
        batches = landing.batches()
        assert [batch.manifest for batch in batches]
        found.append(
            [
                (
                    replace(batch.manifest, landed_at=""),
                    replace(read_verdict(batch), gated_at=""),
                    batch.folder.files(),
                )
                for batch in batches
            ]
        )
    assert found[0] == found[1]
    assert both.on_s3.home.landing.exists() is False


def test_the_same_rows_are_loaded_and_loaded_again_from_there(both: Both) -> None:
    once = [raw(one.home) for one in (both.on_disk, both.on_s3)]
    assert once[0]["raw.google_ads__campaign_daily"]
    assert once[0] == once[1]
    home, settings = both.on_s3.home, both.on_s3.settings
    scratch = Home(home.replays / "again")
    clocks = [both.on_s3.night(FIRST).clock]
    key = hash_key(home, settings)
    done = rebuild(home, scratch, settings, clocks, key, lambda _: None)
    assert (done.ungated, done.batches) == (0, len(both.landings[1].names()))
    assert raw(scratch) == once[1]


def test_a_landing_is_moved_by_copying_it(both: Both, s3_server: S3Server, tmp_path: Path) -> None:
    folder = s3_server.landing(tmp_path / "scratch")
    disk = both.on_disk.home.landing
    for path in sorted(disk.rglob("*")):
        if path.is_file():
            folder.storage.bucket.send(path, str(path.relative_to(disk)))
    moved, before = Landing(folder), both.landings[0]
    assert [batch.manifest for batch in moved.batches()] == [
        batch.manifest for batch in before.batches()
    ]
    for batch, other in zip(moved.batches("typeform"), before.batches("typeform"), strict=True):
        assert moved.read_rows(batch) == before.read_rows(other)
        assert moved.read_calls(batch) == before.read_calls(other)
    assert {*moved.nights_reported()} == {FIRST}


def test_rows_set_aside_are_found(both: Both) -> None:
    on_disk, on_s3 = (
        [(row.name, row.reasons, row.row) for row in rows_set_aside(landing)]
        for landing in both.landings
    )
    assert len(on_disk) == 3
    assert on_s3 == on_disk


def test_a_second_time_nothing_is_asked_loaded_or_fetched(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = both.on_s3.night(FIRST)
    read: list[str] = []
    ask = Bucket.read
    monkeypatch.setattr(Bucket, "read", lambda self, key: read.append(key) or ask(self, key))
    assert [unit for source in night.settings.sources for unit in night.due(source)] == []
    assert night.gate("google_ads") == []
    assert night.load().loaded == ()
    assert night.unreported() == []
    # A stream's index tells where its list begins, so it is asked for first, be there one or not.
    assert {key.rpartition("/")[2] for key in read} == {INDEX}


def test_status_tells_of_it(both: Both) -> None:
    moment = both.on_s3.night(FIRST).clock.now + timedelta(hours=1)
    streams = [status(one.home, one.settings, moment).streams for one in (both.on_disk, both.on_s3)]
    assert {each.through for each in streams[1]} != {None}
    assert streams[0] == streams[1]


def test_the_same_is_published_and_replayed_from_there(both: Both) -> None:
    published = [one.publish(one.night(FIRST)) for one in (both.on_disk, both.on_s3)]
    assert published[0].content_hash == published[1].content_hash
    assert published[0].publication_id == published[1].publication_id
    console = Console(stderr=True)
    done = replay(both.on_s3.home, both.on_s3.settings, None, console)
    assert done.is_reproduced
    assert print_replay(done, console) == 0
    call = both.landings[1].read_calls(both.landings[1].batches("google_ads")[0])[0].call_id
    assert feeds(both.on_s3.home, both.on_s3.settings, call)


def test_a_machine_is_lost_and_what_lies_there_is_not(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, place = both.on_s3, both.on_s3.settings.landing
    path = tmp_path / "boscard.toml"
    more = f'[landing]\nurl = "{place.url}"\nconnection = "{place.connection}"\n'
    assert write_small_settings(path, START, 0.1, more) == lost.settings
    monkeypatch.setenv("BOSCARD_SETTINGS", str(path))
    made, backup = back_up(lost.home, tmp_path / "backups")
    assert any(str(place.url) in what for what in not_in_it(backup))
    back = Home(tmp_path / "back")
    assert restore(back, made, Console(quiet=True)) == 0
    assert current_record(back) == current_record(lost.home)
    assert raw(back) == raw(lost.home)


def test_upkeep_lets_bytes_go_and_replays_all_the_same(both: Both) -> None:
    night = both.on_s3.night(FIRST)
    again = [unit for unit in night.due("google_ads", again=True) if unit.stream == "customers"]
    night.pull(again, both.on_s3.connection, FileTokens(both.on_s3.home.tokens))
    night.gate("google_ads")
    old, new = night.landing.batches("google_ads", None, "customers")
    rows = night.landing.read_rows(new)
    home, settings = both.on_s3.home, both.on_s3.settings
    later = datetime(2027, 6, 1, tzinfo=UTC)
    freed = release_bytes(home, settings, later)
    assert (freed.items, freed.bytes > 0) == (1, True)
    assert (old.folder.has(RELEASED), old.folder.has(ROWS), new.folder.has(ROWS)) == (
        *(True, False),
        True,
    )
    assert release_bytes(home, settings, later).items == 0
    assert compact_landing(home, settings, later).items > 0
    assert compact_landing(home, settings, later).items == 0
    assert night.landing.read_rows(new) == rows


def test_a_person_is_forgotten_there(both: Both) -> None:
    landings = both.landings
    [contacts] = landings[0].batches("hubspot", None, "contacts")
    found = re.search(rb"[a-z.]+\d+@[a-z0-9-]+\.example", landings[0].read_rows(contacts))
    assert found
    email = found[0].decode()
    done = [
        forget(one.home, one.settings, email, by="a test") for one in (both.on_disk, both.on_s3)
    ]
    assert done[0].parts
    assert done[0].parts == done[1].parts
    assert done[0].rows_in_warehouse == done[1].rows_in_warehouse > 0
    assert done[0].still == done[1].still == ()
    for batch in landings[1].batches("hubspot", None, "contacts"):
        assert found[0] not in landings[1].read_rows(batch)
        assert [note.by for note in batch.manifest.rewritten] == ["a test"]
        digest = hashlib.sha256(landings[1].read_rows(batch)).hexdigest()
        assert batch.manifest.sha256 == digest
        with batch.folder.reading(TYPED):
            emails = pq.read_table(batch.path / TYPED).column("email").to_pylist()
        assert email not in emails
        assert len(emails) == 144
    assert not landings[1].root.has(TASK)
    raws = [raw(one.home)["raw.hubspot__contacts"] for one in (both.on_disk, both.on_s3)]
    assert raws[0] == raws[1]


def test_nothing_of_a_vendor_stays_on_this_disk(both: Both) -> None:
    home = both.on_s3.home
    left = [path for path in home.scratch.rglob("*") if path.is_file()]
    assert {path.name.partition(".json")[0] for path in left} == {"writer", "manifest", "verdict"}
    assert {path.stat().st_mode & 0o77 for path in left} == {0}


def raw(home: Home) -> dict[str, list[tuple[object, ...]]]:
    """All rows of raw and ops, save what a clock of the wall wrote."""
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
            " where schema_name in ('raw', 'ops') order by 1"
        ).fetchall()
        return {
            name: connection.execute(f"select * from {name} order by all").fetchall()
            for (name,) in tables
            if name not in ("ops.formats", "ops.migrations")
        }
