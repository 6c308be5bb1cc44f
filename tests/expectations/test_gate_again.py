"""A verdict is given once, for a batch or a whole source, and leaves private files alone."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import timedelta
from functools import partial

import msgspec
import pyarrow as pa
import pytest

from expectations.examiner import Examiner
from expectations.gate import gate_source
from expectations.history import History
from expectations.verdict import GateError, read_verdict
from ingest.batch import QUARANTINE, ROWS, TYPED, VERDICT, Unit
from ingest.index import INDEX
from ingest.landing import Landing
from ingest.s3 import Bucket
from tests.expectations.conftest import NIGHT
from tests.expectations.test_history import past

ADS = ("google_ads", "campaign_daily")


def states(verdict):
    return {result.rule: result.state for result in verdict.results}


def test_gated_twice_gives_the_same_bytes(gatehouse):
    rows = gatehouse.clean(*ADS, 30)
    rows[3]["metrics"]["clicks"] = "-1"
    batch = gatehouse.land(*ADS, [*rows, rows[5], b"{"])
    files = (TYPED, QUARANTINE, VERDICT)

    def content():
        said = msgspec.json.decode((batch.path / VERDICT).read_bytes())
        said.pop("gated_at")
        return said, [(batch.path / name).read_bytes() for name in files[:2]]

    gatehouse.gate(batch)
    first = content()
    gatehouse.gate(batch, again=True)
    assert content() == first


def test_rows_in_many_frames_are_judged_as_in_one(gatehouse):
    """As compaction writes them."""
    rows = gatehouse.clean(*ADS, 1_000)
    rows[3]["metrics"]["clicks"] = "-1"
    batch = gatehouse.land(*ADS, [*rows, rows[5], b"{"])
    first = replace(gatehouse.gate(batch), gated_at="")
    with pa.CompressedInputStream(batch.path / ROWS, "zstd") as stream:
        content = stream.read()
    pieces = [content[place : place + 50_000] for place in range(0, len(content), 50_000)]
    assert len(pieces) > 3
    batch.folder.write(ROWS, b"".join(pa.compress(one, "zstd", asbytes=True) for one in pieces))
    assert replace(gatehouse.gate(batch, again=True), gated_at="") == first


def test_a_batch_that_is_judged_anew_takes_the_index_away(gatehouse):
    batch = gatehouse.land(*ADS, gatehouse.clean(*ADS, 1))
    gatehouse.gate(batch)
    index = batch.path.with_name(INDEX)
    assert gatehouse.landing.index(NIGHT + timedelta(days=1)) == 1
    gatehouse.gate(gatehouse.land(*ADS, gatehouse.clean(*ADS, 1)))
    assert index.exists()
    gatehouse.gate(batch, again=True)
    assert not index.exists()


def test_earlier_batches_that_are_indexed_are_compared_with(gatehouse):
    """And one that was moved away since is not missed."""
    first, second = (
        gatehouse.land(*ADS, gatehouse.clean(*ADS, 30), night=NIGHT + timedelta(days=night))
        for night in (0, 1)
    )
    for batch in (first, second):
        gatehouse.gate(batch)
    gatehouse.landing.index(NIGHT + timedelta(days=2))
    thin = gatehouse.land(*ADS, gatehouse.clean(*ADS, 10), night=NIGHT, window=(NIGHT, NIGHT))
    assert History.of(thin, gatehouse.landing).past == tuple(
        (batch.manifest, read_verdict(batch)) for batch in (first, second)
    )
    first.path.rename(gatehouse.landing.root.path / "away")
    assert len(History.of(thin, gatehouse.landing).past) == 1


def test_a_history_in_object_storage_is_fetched_once(s3_server, tmp_path, monkeypatch):
    landing = Landing(s3_server.landing(tmp_path))
    unit = Unit("google_ads", "111", "campaigns", None)
    batches = [landing.write(unit, NIGHT + timedelta(days=night), []) for night in range(4)]
    judged = msgspec.json.encode(past((0, 1, "passed", 1))[0][1])
    for batch in batches[:3]:
        batch.folder.write(VERDICT, judged)
    first = History.of(batches[3], landing)
    fetched = []
    read = Bucket.read

    def spy(bucket, key):
        fetched.append(key.rpartition("/")[2])
        return read(bucket, key)

    monkeypatch.setattr(Bucket, "read", spy)
    assert History.of(batches[3], landing) == first
    assert len(first.past) == 3
    assert fetched == [INDEX], "there is none, and only a question tells"


def test_a_verdict_is_given_once(gatehouse):
    batch = gatehouse.land(*ADS, gatehouse.clean(*ADS, 1))
    given = gatehouse.gate(batch)
    (batch.path / TYPED).write_bytes(b"untouched")
    assert gatehouse.gate(batch) == given == read_verdict(batch)
    assert (batch.path / TYPED).read_bytes() == b"untouched"


def test_files_are_private_and_nothing_else_is_left(gatehouse):
    batch = gatehouse.land(*ADS, gatehouse.clean(*ADS, 1))
    gatehouse.gate(batch)
    for name in (TYPED, QUARANTINE, VERDICT):
        assert stat.S_IMODE((batch.path / name).stat().st_mode) == 0o600
    assert not [path.name for path in batch.path.iterdir() if path.name.startswith(".")]


def test_a_whole_source_is_gated_in_sequence_once(gatehouse, tmp_path):
    night = gatehouse.night
    for shift in (2, 1, 0):
        day = night - timedelta(days=shift)
        gatehouse.land(*ADS, gatehouse.clean(*ADS, 2, days=[day]), night=day)
    gatehouse.land("google_ads", "campaigns", gatehouse.clean("google_ads", "campaigns", 2))
    gatehouse.land("hubspot", "owners", gatehouse.clean("hubspot", "owners", 1))
    spilled = tmp_path / "spilled"
    judge = partial(gate_source, settings=gatehouse.settings, spilled=spilled)
    given = judge("google_ads", landing=gatehouse.landing)
    assert [verdict.batch_id[:6] for verdict in given] == ["000001", "000002", "000003", "000001"]
    assert judge("google_ads", landing=gatehouse.landing) == []
    assert [*spilled.iterdir()] == []
    assert [batch.is_gated for batch in gatehouse.landing.batches("hubspot")] == [False]


def test_an_account_no_longer_in_the_settings_is_gated_without_its_currency(gatehouse):
    rows = gatehouse.clean(*ADS, 1)
    rows[0]["customer"]["id"] = "gone"
    verdict = gatehouse.verdict(*ADS, rows, account="gone")
    assert states(verdict)["own_currency"] == "skipped"
    assert verdict.state == "passed"


def test_rows_that_do_not_add_up_are_no_verdict(gatehouse):
    verdict = gatehouse.verdict(*ADS, gatehouse.clean(*ADS, 2))
    with pytest.raises(GateError, match="2 rows came in"):
        replace(verdict, rows_loaded=1)


def test_what_exceeds_its_memory_spills_into_the_folder_it_was_given(tmp_path):
    with Examiner(tmp_path) as examiner:
        examiner.connection.execute("set memory_limit = '20MB'")
        examiner.connection.execute("create table wide as select range as n from range(20_000_000)")
        assert [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [*tmp_path.iterdir()] == []
