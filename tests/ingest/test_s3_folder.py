"""Landing in object storage: no rename, no lock but a claim, and many who may ask at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest

from ingest import landing as landing_module
from ingest.batch import CALLS, MANIFEST, ROWS, TYPED, VERDICT, Unit, Window
from ingest.connections import Connection
from ingest.errors import Refused, Transient
from ingest.exchange import Page
from ingest.landing import Landing, verdict_state
from ingest.s3 import Bucket

NIGHT = date(2026, 11, 1)
LIST = Unit("google_ads", "111", "campaigns", None)
PAGES = (Page(rows=[b'{"a":1}', b"{}"], url="https://v/1"),)
PLACE = "google_ads/111/campaigns"


@pytest.fixture
def url(s3_server) -> str:
    return s3_server.bucket()


@pytest.fixture
def ours(s3_server, url, tmp_path) -> Landing:
    return Landing(s3_server.landing(tmp_path / "ours", url))


@pytest.fixture
def theirs(s3_server, url, tmp_path) -> Landing:
    """Another installation at the same prefix: it should not be there, and may be."""
    return Landing(s3_server.landing(tmp_path / "theirs", url))


def keys(landing: Landing) -> list[str]:
    return [each.key for each in landing.root.storage.bucket.objects("")]


def test_a_batch_is_its_objects_and_nothing_more(ours):
    ours.write(LIST, NIGHT, PAGES)
    assert keys(ours) == [
        f"{PLACE}/000001_2026-11-01_all/{name}" for name in (CALLS, MANIFEST, ROWS)
    ]
    left = [path for path in ours.root.path.rglob("*") if path.is_file()]
    assert left == [], "what a batch needed on this disk is gone"


def test_its_manifest_is_put_last_and_where_there_is_none(ours, monkeypatch):
    put = []
    monkeypatch.setattr(Bucket, "send", spied(put, Bucket.send, 2))
    monkeypatch.setattr(Bucket, "write_new", spied(put, Bucket.write_new, 1))
    ours.write(LIST, NIGHT, PAGES)
    assert [key.rpartition("/")[2] for key in put] == ["000001", ROWS, CALLS, MANIFEST]


def spied(seen, call, key):
    def spy(*arguments):
        seen.append(arguments[key])
        return call(*arguments)

    return spy


def test_who_comes_second_takes_the_next_number(ours, theirs, monkeypatch):
    """They commit while ours has put its objects, and not its manifest."""
    place = type(ours.root).place
    other = []

    def placed_beside(folder, draft, name, manifest):
        if not other:
            other.append(None)
            other[0] = theirs.write(LIST, NIGHT + timedelta(days=1), PAGES)
        return place(folder, draft, name, manifest)

    monkeypatch.setattr(type(ours.root), "place", placed_beside)
    batch = ours.write(LIST, NIGHT, PAGES)
    assert (batch.manifest.sequence, other[0].manifest.sequence) == (1, 2)
    assert [name.sequence for name in ours.names()] == [1, 2]


def test_a_number_that_was_taken_since_it_was_looked_for_is_not_given_twice(
    ours, theirs, monkeypatch
):
    theirs.write(LIST, NIGHT, PAGES)
    monkeypatch.setattr(landing_module, "last_sequence", lambda _: 0)
    assert ours.write(LIST, NIGHT + timedelta(days=1), PAGES).manifest.sequence == 2
    assert not [key for key in keys(ours) if "claimed" in key]


def test_the_manifest_of_another_is_never_written_over(ours, monkeypatch):
    """Whoever put it kept to no claim: the batch is theirs, and ours is the next one."""
    send = Bucket.send

    def beaten(bucket, path, key):
        send(bucket, path, key)
        if "000001" in key:
            bucket.write(key.replace(ROWS, MANIFEST).replace(CALLS, MANIFEST), b"theirs")

    monkeypatch.setattr(Bucket, "send", beaten)
    batch = ours.write(LIST, NIGHT, PAGES)
    assert batch.manifest.sequence == 2
    assert (ours.root / "google_ads/111/campaigns/000001_2026-11-01_all").read(
        MANIFEST
    ) == b"theirs"


def test_many_at_once_have_a_number_each(ours, theirs):
    nights = [NIGHT + timedelta(days=days) for days in range(6)]
    with ThreadPoolExecutor(4) as pool:
        written = [
            pool.submit(where.write, LIST, night, PAGES)
            for night, where in zip(nights, [ours, theirs] * 3, strict=True)
        ]
    numbers = sorted(each.result().manifest.sequence for each in written)
    assert numbers == sorted({*numbers})
    assert [name.sequence for name in ours.names()] == numbers


KILLED = """
import os, sys
from datetime import date
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from ingest import s3
from ingest.batch import MANIFEST, Unit
from ingest.exchange import Page
from ingest.landing import Landing
from tests.s3 import S3Server

def killed(bucket, key, content, write_new=s3.Bucket.write_new):
    if key.endswith(MANIFEST):
        os.kill(os.getpid(), 9)
    return write_new(bucket, key, content)

s3.Bucket.write_new = killed
landing = Landing(S3Server(sys.argv[2]).landing(Path(sys.argv[3]), sys.argv[4]))
landing.write(Unit("google_ads", "111", "campaigns", None), date(2026, 11, 1),
              [Page(rows=[b'{"half": 1}'])])
"""


@pytest.fixture
def killed(request, s3_server, ours, url) -> None:
    """A run of ours was killed between its objects and its manifest."""
    scratch = str(ours.root.storage.scratch)
    given = [str(request.config.rootpath), s3_server.endpoint, scratch, url]
    script = [sys.executable, "-c", KILLED, *given]
    assert subprocess.run(script, check=False, capture_output=True).returncode == -9
    assert len(keys(ours)) == 3, "a claim, rows and calls"
    assert list(ours.root.path.rglob(".pulling_*"))


@pytest.mark.usefixtures("killed")
def test_what_was_killed_before_its_manifest_is_no_batch_and_is_done_again(ours):
    assert ours.batches() == ours.names(as_of=NIGHT) == []
    batch = ours.write(LIST, NIGHT, PAGES)
    assert batch.manifest.sequence == 1
    assert b"half" not in ours.read_rows(batch)
    assert len(keys(ours)) == 3, "rows, calls and manifest"


@pytest.mark.usefixtures("killed")
def test_what_a_killed_run_left_is_swept(ours):
    ours.write(LIST, NIGHT + timedelta(days=1), PAGES)
    ours.remove_left_behind()
    assert {key.split("/")[3] for key in keys(ours)} == {"000001_2026-11-02_all"}
    assert not list(ours.root.path.rglob(".pulling_*"))


@pytest.mark.usefixtures("killed")
def test_another_installation_leaves_it_and_goes_on(ours, theirs):
    theirs.remove_left_behind()
    assert len(keys(ours)) == 3
    assert theirs.write(LIST, NIGHT, PAGES).manifest.sequence == 2


def test_a_draft_that_is_held_is_not_swept(ours):
    with ours.draft(LIST, NIGHT) as draft:
        ours.remove_left_behind()
        draft.add(PAGES[0])
        assert draft.commit().manifest.rows == 2


def test_uploads_that_were_never_finished_are_dropped(ours):
    bucket = ours.root.storage.bucket
    ours.write(LIST, NIGHT, PAGES)
    bucket._call("create_multipart_upload", Key=f"boscard/{PLACE}/000002_2026-11-02_all/{ROWS}")
    bucket.drop_unfinished(PLACE, datetime(2000, 1, 1, tzinfo=UTC))  # moto dates all to 2010
    assert bucket._call("list_multipart_uploads")["Uploads"]
    ours.remove_left_behind()
    assert "Uploads" not in bucket._call("list_multipart_uploads")
    assert len(ours.batches()) == 1


def test_an_answer_that_was_lost_is_no_loss(ours):
    """A request that is sent again finds what it wrote itself."""
    bucket = ours.root.storage.bucket
    assert bucket.write_new("a", b"x")
    assert bucket.write_new("a", b"x")
    assert not bucket.write_new("a", b"y")
    assert bucket.read("a") == b"x"


def test_a_verdict_is_fetched_once_and_again_when_it_changes(ours, monkeypatch):
    batch = ours.write(LIST, NIGHT, PAGES)
    batch.folder.write(VERDICT, b'{"state": "held"}')
    asked = []
    monkeypatch.setattr(Bucket, "read", spied(asked, Bucket.read, 1))
    states = [verdict_state(name) for _ in range(3) for name in ours.names()]
    assert (states, len(asked)) == (["held"] * 3, 1)
    batch.folder.write(VERDICT, b'{"state": "passed"}')
    assert [verdict_state(name) for name in ours.names()] == ["passed"]
    assert len(asked) == 2


def test_a_night_is_listed_without_its_history(ours, monkeypatch):
    for days in range(3):
        ours.write(LIST, NIGHT + timedelta(days=days), PAGES)
    listed = []
    objects = Bucket.objects
    monkeypatch.setattr(
        Bucket, "objects", lambda self, prefix: listed.append(prefix) or objects(self, prefix)
    )
    assert [name.sequence for name in ours.names(as_of=NIGHT)] == [1]
    assert listed == [f"{PLACE}/000001_2026-11-01_all/"]


def test_what_was_fetched_is_gone_afterwards_and_what_a_killed_reader_left_is_not_read(ours):
    folder = ours.write(LIST, NIGHT, PAGES).folder
    folder.path.mkdir(parents=True)
    (folder.path / TYPED).write_bytes(b"of a killed one")
    with folder.reading(ROWS, TYPED):
        assert [path.name for path in folder.path.iterdir()] == [ROWS]
    assert not folder.path.exists()
    with suppress(ZeroDivisionError), folder.changing(needs=(ROWS,), makes=(ROWS,)):
        (folder.path / ROWS).write_bytes(b"half")
        _ = 1 / 0
    assert not folder.path.exists()
    assert folder.read(ROWS) != b"half"


def test_one_at_a_time_is_at_a_batch(ours):
    folder = ours.write(LIST, NIGHT, PAGES).folder
    inside, at_once = [], []

    def read():
        with folder.reading(ROWS):
            inside.append(1)
            at_once.append(len(inside))
            threading.Event().wait(0.02)
            inside.pop()

    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(read) for _ in range(8)]:
            each.result()
    assert set(at_once) == {1}


def test_a_key_that_is_not_known_is_refused(ours, s3_server):
    with s3_server.looking_at_keys(), pytest.raises(Refused, match="Access Key Id") as told:
        ours.names()
    assert "give landing's connection a key" in str(told.value)
    assert "a-secret" not in str(told.value)


def test_a_bucket_that_is_not_there_is_refused_and_not_empty(s3_server, tmp_path):
    landing = Landing(s3_server.landing(tmp_path, "s3://no-such-bucket/boscard"))
    for ask in (landing.names, landing.remove_left_behind, lambda: landing.root.has("x")):
        with pytest.raises(Refused, match=r"no-such-bucket/boscard: .*make the bucket"):
            ask()
    with pytest.raises(Refused, match="make the bucket"):
        landing.write(LIST, NIGHT, PAGES)


def test_a_storage_that_does_not_answer_may_later(tmp_path, monkeypatch):
    s3fs = pytest.importorskip("s3fs")
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    extra = {"endpoint_url": "http://127.0.0.1:9", "region_name": "us-east-1"}
    bucket = Bucket("s3://bucket", Connection("", "a-key", "a-secret", extra))
    with pytest.raises(Transient, match="see that the storage answers"):
        bucket.inner("")


def test_without_s3fs_it_says_how_to_have_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(Refused, match=r"pip install 'boscard\[production\]'"):
        Bucket("s3://bucket", None)


def test_what_is_indexed_is_not_listed(ours, monkeypatch):
    for night in range(5):
        batch = ours.write(LIST, NIGHT + timedelta(days=night), PAGES)
        with batch.folder.changing(needs=(), makes=(VERDICT,)):
            (batch.path / VERDICT).write_bytes(b'{"state": "held"}')
    assert ours.index(NIGHT + timedelta(days=3)) == 3
    listed = []
    objects = Bucket.objects

    def spy(bucket, prefix, after=""):
        for each in objects(bucket, prefix, after):
            listed.append(each.key)
            yield each

    monkeypatch.setattr(Bucket, "objects", spy)
    indexed = ours.names("google_ads", "111", "campaigns", is_indexed=True)
    assert [(name.sequence, verdict_state(name)) for name in indexed] == [
        (number, "held") for number in range(1, 6)
    ]
    assert [key[:6] for key in listed] == ["000004"] * 4 + ["000005"] * 4 + ["index."]
    listed.clear()
    whole = ours.names("google_ads", "111", "campaigns")
    assert [name.folder.name for name in whole] == [name.folder.name for name in indexed]
    assert len(listed) == 5 * 4 + 1


def test_a_storage_that_lists_all_from_the_start_doubles_nothing(ours, monkeypatch):
    for night in range(3):
        batch = ours.write(LIST, NIGHT + timedelta(days=night), PAGES)
        batch.folder.write(VERDICT, b'{"state": "passed"}')
    ours.index(NIGHT + timedelta(days=2))
    objects = Bucket.objects
    monkeypatch.setattr(Bucket, "objects", lambda bucket, prefix, _="": objects(bucket, prefix))
    assert [name.sequence for name in ours.names(is_indexed=True)] == [1, 2, 3]


def test_a_window_is_told_by_its_name(ours):
    unit = Unit("google_ads", "111", "campaign_daily", Window(NIGHT - timedelta(days=3), NIGHT))
    ours.write(unit, NIGHT, PAGES)
    [name] = ours.names()
    assert (name.unit, name.as_of_date, name.sequence) == (unit, NIGHT, 1)
