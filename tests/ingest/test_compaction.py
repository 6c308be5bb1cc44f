"""Rows in less space are the same rows, whatever cuts a compaction short."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from boscard.atomic import write_whole
from expectations.lines import are_as_landed, survey
from ingest import compaction
from ingest.batch import CALLS, MANIFEST, RELEASED, ROWS, Unit
from ingest.compaction import LEAST, compact
from ingest.errors import Refused
from ingest.exchange import Page
from ingest.landing import Landing
from ingest.s3 import Bucket
from ingest.store import LocalFolder

NIGHT = date(2026, 11, 1)
AT = datetime(2026, 11, 15, 6, tzinfo=UTC)
UNIT = Unit("hubspot", "1", "contacts", None)
CHANCE = random.Random(1)
ROWS_LANDED = [
    json.dumps(
        {
            "campaign": {"id": str(number % 40), "name": f"Campaign {number % 40}"},
            "segments": {"date": f"2026-10-{number // 400 + 1:02d}"},
            "metrics": {name: str(CHANCE.randrange(2_000)) for name in ("clicks", "impressions")},
        }
    ).encode()
    for number in range(10_000)
]


@pytest.fixture
def landing(either_landing) -> Landing:
    return either_landing


@pytest.fixture
def batch(landing):
    return landing.write(UNIT, NIGHT, [Page(rows=ROWS_LANDED)])


def killed_at_the_manifest(send):
    """The rows are there when the manifest's turn comes, and nothing after."""

    def sending(self, path, key):
        if path.name == MANIFEST:
            raise KeyboardInterrupt(path.name)
        send(self, path, key)

    return sending


def only(landing):
    [batch] = landing.batches()
    return batch


def test_the_rows_are_the_same_in_less_space(landing, batch, monkeypatch):
    monkeypatch.setattr(compaction, "_CHUNK", 500_000)
    rows, size = landing.read_rows(batch), batch.folder.size(ROWS)
    freed = compact(batch, AT)
    assert freed == size - only(landing).folder.size(ROWS) > 0
    assert landing.read_rows(batch) == rows
    told = {"stored_sha256": hashlib.sha256(batch.folder.read(ROWS)).hexdigest()}
    assert only(landing).manifest == replace(batch.manifest, compacted_at=AT.isoformat(), **told)
    with batch.folder.reading(ROWS):
        assert (batch.path / ROWS).stat().st_mode & 0o777 == 0o600
        assert survey(batch.path / ROWS, 10_000).rows == 10_000
        for manifest in (batch.manifest, only(landing).manifest):
            assert are_as_landed(batch.path / ROWS, manifest)


@pytest.mark.parametrize("kind", ["another value", "a row more", "cut off", "no zstd"])
def test_damaged_rows_are_told_of_and_stay_as_they_are(landing, batch, kind):
    rows = landing.read_rows(batch)
    damaged = {
        "another value": pa.compress(rows.replace(b"Campaign 7", b"Campaign 8"), "zstd"),
        "a row more": pa.compress(rows + b"{}\n", "zstd"),
        "cut off": batch.folder.read(ROWS)[:-9],
        "no zstd": b"words",
    }
    batch.folder.write(ROWS, bytes(damaged[kind]))
    before = batch.folder.read(ROWS), batch.folder.read(MANIFEST)
    with pytest.raises(Refused, match=f"{batch.manifest.batch_id}/{ROWS} is damaged"):
        compact(batch, AT)
    assert (batch.folder.read(ROWS), batch.folder.read(MANIFEST)) == before


def test_it_is_done_once(landing, batch):
    compact(batch, AT)
    before = batch.folder.read(ROWS), batch.folder.read(MANIFEST)
    assert compact(batch, AT.replace(hour=7)) == 0  # which was listed before the other began
    assert compact(only(landing), AT.replace(hour=7)) == 0
    assert (batch.folder.read(ROWS), batch.folder.read(MANIFEST)) == before


def test_few_rows_and_none_are_let_be(landing):
    few = landing.write(UNIT, NIGHT, [Page(rows=[b"x" * (LEAST - 2)])])
    assert few.manifest.bytes == LEAST - 1
    gone = landing.write(UNIT, NIGHT, [Page(rows=ROWS_LANDED)])
    landing.release(gone, AT)
    before = few.folder.read(MANIFEST), gone.folder.read(MANIFEST)
    assert compact(few, AT) == compact(gone, AT) == 0
    assert (few.folder.read(MANIFEST), gone.folder.read(MANIFEST)) == before
    assert (gone.folder.has(ROWS), gone.folder.has(RELEASED)) == (False, True)


def test_rows_that_cannot_be_pressed_harder_are_noted_and_let_be(landing):
    chance = random.Random(2)
    batch = landing.write(UNIT, NIGHT, [Page(rows=[chance.randbytes(LEAST).hex().encode()])])
    before = batch.folder.read(ROWS)
    assert compact(batch, AT) == 0
    assert batch.folder.read(ROWS) == before
    assert only(landing).manifest == replace(batch.manifest, compacted_at=AT.isoformat())


def test_of_a_killed_one_the_rows_are_known_and_it_is_done_again(landing, batch, monkeypatch):
    def killed(path, content):
        if path.name == MANIFEST and isinstance(landing.root, LocalFolder):
            raise KeyboardInterrupt(path.name)
        write_whole(path, content)

    rows = landing.read_rows(batch)
    with monkeypatch.context() as patch:
        patch.setattr(compaction, "write_whole", killed)
        patch.setattr(Bucket, "send", killed_at_the_manifest(Bucket.send))
        with pytest.raises(KeyboardInterrupt, match=MANIFEST):
            compact(batch, AT)
    assert only(landing).manifest == batch.manifest
    told = hashlib.sha256(batch.folder.read(ROWS)).hexdigest()
    assert told != batch.manifest.stored_sha256
    with batch.folder.reading(ROWS):
        assert are_as_landed(batch.path / ROWS, only(landing).manifest)
    compact(batch, AT)
    assert only(landing).manifest.compacted_at
    assert landing.read_rows(batch) == rows
    assert only(landing).folder.files() == [CALLS, MANIFEST, ROWS]
