"""The name of a batch's folder tells what its manifest tells, and nothing has to be opened."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.batch import MANIFEST, Unit, Window
from ingest.errors import Refused
from ingest.landing import Landing, read_batch

NIGHT = date(2026, 11, 1)
DAY = timedelta(days=1)
LIST = Unit("google_ads", "111", "campaigns", None)

days = st.dates(date(1999, 1, 1), date(2999, 12, 31))
windows = st.tuples(days, days).map(lambda pair: Window(min(pair), max(pair)))
units = st.builds(
    Unit,
    st.sampled_from(["google_ads", "hubspot"]),
    st.sampled_from(["111", "a_1", "north-wind.2"]),
    st.sampled_from(["campaigns", "reports"]),
    st.none() | windows,
)


@settings(max_examples=25)
@given(st.lists(st.tuples(units, days), max_size=6))
def test_a_name_tells_what_the_manifest_tells(tmp_path_factory, landed):
    landing = Landing(tmp_path_factory.mktemp("landing"))
    for unit, night in landed:
        landing.write(unit, night, [])
    told = {
        (str(name.folder), name.unit, name.as_of_date, name.sequence) for name in landing.names()
    }
    manifests = [(str(batch.path), batch.manifest) for batch in landing.batches()]
    assert told == {(path, one.unit, one.as_of_date, one.sequence) for path, one in manifests}
    assert len(told) == len(landed)
    places = [(*name.place, name.sequence) for name in landing.names()]
    assert places == sorted(places)
    for night in {night for _, night in landed}:
        of_night = [name for name in landing.names() if name.as_of_date == night]
        assert landing.names(as_of=night) == of_night


def test_a_batch_without_a_manifest_does_not_exist(landing):
    batch = landing.write(LIST, NIGHT, [])
    assert [read_batch(name) for name in landing.names()] == [batch]
    (batch.path / MANIFEST).unlink()
    assert landing.names() == landing.names(as_of=NIGHT) == []


def test_what_is_no_batch_has_no_name(landing):
    landing.write(LIST, NIGHT, [])
    folder = landing.root.path / "google_ads/111/campaigns"
    (folder / "failure.json").write_text("{}")
    (landing.root.path / "google_ads/reports").mkdir()
    (landing.root.path / "google_ads/reports/2026-11-01.json").write_text("{}")
    with landing.draft(LIST, NIGHT + DAY):
        assert [name.sequence for name in landing.names()] == [1]
        assert landing.names("hubspot") == landing.names(account="112") == []


def test_more_than_a_million_batches_stay_in_order(landing):
    batch = landing.write(LIST, NIGHT, [])
    batch.path.rename(batch.path.with_name("999999_2026-11-01_all"))
    landing.write(LIST, NIGHT, [])
    assert [name.sequence for name in landing.names()] == [999_999, 1_000_000]


def test_a_name_of_a_later_version_is_refused(landing):
    batch = landing.write(LIST, NIGHT, [])
    batch.path.rename(batch.path.with_name("000001_2026-11-01_some"))
    with pytest.raises(Refused, match=r"000001_2026-11-01_some is not named .*the version that"):
        landing.names()
