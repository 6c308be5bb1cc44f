"""Landing: bytes kept, batches whole or absent, files private."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.batch import CALLS, MANIFEST, ROWS, VERDICT, Unit, Window
from ingest.errors import Transient
from ingest.exchange import Page
from ingest.landing import Landing, verdict_state

NIGHT = date(2026, 11, 1)
WINDOW = Window(date(2026, 10, 1), NIGHT)
UNIT = Unit("google_ads", "111", "campaign_daily", WINDOW)
LIST = Unit("google_ads", "111", "campaigns", None)
PAGES = (
    Page(rows=[b'{"a": "1.50"}', b'{"a":"\xc3\xa9 \\n"}'], url="https://v/1", bytes=40, sha256="x"),
    Page(rows=[], url="https://v/list"),
    Page(rows=[b"{}"], url="https://v/2", context={"form_id": "f"}, attempts=3, milliseconds=9),
)


@pytest.fixture
def landing(either_landing) -> Landing:
    return either_landing


@pytest.fixture
def on_disk(tmp_path) -> Landing:
    return Landing(tmp_path / "landing")


def test_a_batch_holds_the_rows_the_calls_and_its_manifest(landing):
    batch = landing.write(UNIT, NIGHT, PAGES)
    manifest = batch.manifest
    lines = b'{"a": "1.50"}\n{"a":"\xc3\xa9 \\n"}\n{}\n'
    assert landing.read_rows(batch) == lines
    assert batch.path == (
        landing.root.path / "google_ads/111/campaign_daily/000001_2026-11-01_2026-10-01_2026-11-01"
    )
    assert manifest.batch_id == batch.path.name
    assert manifest.unit == UNIT
    assert (manifest.rows, manifest.calls, manifest.bytes) == (3, 3, len(lines))
    assert manifest.sha256 == hashlib.sha256(lines).hexdigest()
    assert manifest.stored_sha256 == hashlib.sha256(batch.folder.read(ROWS)).hexdigest()
    assert manifest.as_of_date == NIGHT
    calls = landing.read_calls(batch)
    assert [(call.first_line, call.rows) for call in calls] == [(1, 2), (3, 0), (3, 1)]
    assert calls[0].call_id == "google_ads.111.campaign_daily.000001.00001"
    assert len({call.call_id for call in calls}) == 3
    assert (calls[2].context, calls[2].attempts, calls[2].milliseconds) == ({"form_id": "f"}, 3, 9)
    assert landing.batches() == [batch]


def test_a_complete_list_is_named_so(landing):
    assert landing.write(LIST, NIGHT, []).path.name == "000001_2026-11-01_all"


rows = st.lists(
    st.dictionaries(st.text(max_size=5), st.text() | st.integers() | st.none(), max_size=4).map(
        lambda row: json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass")
    ),
    max_size=6,
)


@settings(max_examples=25)
@given(st.lists(rows, max_size=5))
def test_rows_and_calls_fit_whatever_the_pages(tmp_path_factory, pages):
    landing = Landing(tmp_path_factory.mktemp("landing"))
    batch = landing.write(UNIT, NIGHT, [Page(rows=page) for page in pages])
    lines = landing.read_rows(batch).split(b"\n")[:-1]
    assert lines == [row for page in pages for row in page]
    covered = [
        line
        for call in landing.read_calls(batch)
        for line in range(call.first_line, call.first_line + call.rows)
    ]
    assert covered == list(range(1, batch.manifest.rows + 1))


def test_sequences_count_per_stream_and_batches_come_in_order(landing):
    days = [date(2026, 11, day) for day in (1, 2, 3)]
    for day in days:
        landing.write(LIST, day, PAGES)
    landing.write(UNIT, NIGHT, PAGES)
    other = replace(LIST, account="110")
    landing.write(other, NIGHT, PAGES)
    found = [
        (b.manifest.account, b.manifest.stream, b.manifest.sequence) for b in landing.batches()
    ]
    assert found == [
        ("110", "campaigns", 1),
        ("111", "campaign_daily", 1),
        ("111", "campaigns", 1),
        ("111", "campaigns", 2),
        ("111", "campaigns", 3),
    ]
    assert len(landing.batches("google_ads", "111", "campaigns")) == 3
    assert landing.batches("hubspot") == []
    assert len(landing.batches(stream="campaigns")) == 4


def test_everything_is_private_whatever_the_umask(on_disk):
    before = os.umask(0)
    try:
        on_disk.write(UNIT, NIGHT, PAGES)
    finally:
        os.umask(before)
    for path in [on_disk.root.path, *on_disk.root.path.rglob("*")]:
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_a_failure_half_way_leaves_nothing(on_disk):
    def pages():
        yield PAGES[0]
        raise Transient("cut off")

    with pytest.raises(Transient):
        on_disk.write(UNIT, NIGHT, pages())
    assert on_disk.batches() == []
    assert list(on_disk.root.path.rglob("*")) == [
        on_disk.root.path / "google_ads",
        on_disk.root.path / "google_ads/111",
        on_disk.root.path / "google_ads/111/campaign_daily",
    ]
    assert on_disk.write(UNIT, NIGHT, PAGES).manifest.sequence == 1


KILLED = """
import os, sys
from datetime import date
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from ingest.batch import MANIFEST, Unit, Window
from ingest.exchange import Page
from ingest.landing import Landing

unit = Unit("google_ads", "111", "campaign_daily", Window(date(2026, 10, 1), date(2026, 11, 1)))
draft = Landing(Path(sys.argv[1])).draft(unit, date(2026, 11, 1))
draft.add(Page(rows=[b'{"half": 1}']))
if sys.argv[3] == "while committing":
    rename = Path.rename
    def renamed(path, target):
        if path.name == f".{MANIFEST}":
            os.kill(os.getpid(), 9)
        return rename(path, target)
    Path.rename = renamed
    draft.commit()
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("moment", ["while pulling", "while committing"])
def test_what_a_killed_run_leaves_does_not_exist_and_is_replaced(on_disk, moment, request):
    script = [sys.executable, "-c", KILLED, str(on_disk.root), str(request.config.rootpath), moment]
    assert subprocess.run(script, check=False, capture_output=True).returncode == -9
    folder = on_disk.root.path / "google_ads/111/campaign_daily"
    assert len(list(folder.iterdir())) == 1
    assert on_disk.batches() == []
    batch = on_disk.write(UNIT, NIGHT, PAGES)
    assert batch.manifest.sequence == 1
    assert list(folder.iterdir()) == [batch.path]
    assert {path.name for path in batch.path.iterdir()} == {ROWS, CALLS, MANIFEST}
    assert b"half" not in on_disk.read_rows(batch)


def test_a_number_follows_that_of_the_newest_whole_batch(on_disk):
    """Neither what a killed run left nor what somebody put there counts."""
    whole = on_disk.write(LIST, NIGHT, [])
    half, foreign = (whole.path.with_name(name) for name in ("000009_2026-11-02_all", "12ab_x"))
    for folder in (half, foreign):
        folder.mkdir()
    assert on_disk.write(LIST, NIGHT, []).manifest.sequence == 2


def test_a_half_batch_of_any_night_goes_when_its_number_is_taken(on_disk):
    whole = on_disk.write(LIST, NIGHT, [])
    earlier, later = (
        whole.path.with_name(f"000002_{night}_all") for night in ("2026-10-01", "2026-12-01")
    )
    for half in (earlier, later):
        half.mkdir()
    on_disk.remove_left_behind()
    assert set(earlier.parent.iterdir()) == {whole.path}, "upkeep looks at all"
    for half in (earlier, later):
        half.mkdir()
    second = on_disk.write(LIST, NIGHT, [])
    assert set(earlier.parent.iterdir()) == {whole.path, second.path}


def test_what_a_killed_run_leaves_of_another_night_goes_with_the_next_batch(on_disk):
    folder = on_disk.root.path / "google_ads/111/campaign_daily"
    left = folder / ".pulling_2026-10-31_2026-10-01_2026-10-31"
    left.mkdir(parents=True)
    (left / ROWS).write_bytes(b"half")
    at_work = replace(UNIT, window=Window(date(2026, 9, 1), date(2026, 9, 30)))
    with on_disk.draft(at_work, NIGHT) as draft:
        batch = on_disk.write(UNIT, NIGHT, PAGES)
        assert not left.exists()
        other = draft.commit()
    assert set(folder.iterdir()) == {batch.path, other.path}


def test_two_at_the_same_unit_do_not_mix(landing):
    with landing.draft(UNIT, NIGHT) as draft:
        with pytest.raises(Transient, match="another process"):
            landing.draft(UNIT, NIGHT)
        landing.write(LIST, NIGHT, PAGES)
        draft.add(PAGES[0])
        assert draft.commit().manifest.rows == 2


def test_a_committed_batch_outlives_its_draft(landing):
    with landing.draft(UNIT, NIGHT) as draft:
        batch = draft.commit()
    assert landing.batches() == [batch]


@pytest.mark.parametrize("name", ["..", ".", "", "a/b"])
def test_names_cannot_leave_the_landing(landing, name):
    with pytest.raises(ValueError, match="name of a folder"):
        landing.write(replace(UNIT, account=name), NIGHT, PAGES)


def test_the_verdict_of_a_batch(landing):
    batch = landing.write(UNIT, NIGHT, PAGES)
    assert verdict_state(batch) is None
    batch.folder.write(VERDICT, b'{"state": "blocked", "more": []}')
    assert verdict_state(batch) == "blocked"
