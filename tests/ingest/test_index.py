"""The index of a stream: what it saves a night to look at, and that it never says another thing."""

from __future__ import annotations

from datetime import date, timedelta
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import index as index_module
from ingest import landing as landing_module
from ingest.batch import VERDICT, Unit, Window
from ingest.exchange import Page
from ingest.index import INDEX, read_index
from ingest.landing import Landing, read_if_there, verdict_state
from ingest.store import LocalFolder

NIGHT = date(2026, 11, 1)
DAY = timedelta(days=1)
LIST = Unit("google_ads", "111", "campaigns", None)
STATES = ("passed", "held", "blocked")


def judge(landing, batch, state):
    """What the gate does when it has judged."""
    with landing.unindexed(batch), batch.folder.changing(needs=(), makes=(VERDICT,)):
        (batch.path / VERDICT).write_text(f'{{"state": "{state}"}}')


def landed(landing, unit, nights, state="passed"):
    batches = [landing.write(unit, NIGHT + n * DAY, [Page(rows=[b"{}"])]) for n in range(nights)]
    for batch in batches:
        judge(landing, batch, state)
    return batches


def told(names):
    return [
        (str(name.folder), name.unit, name.as_of_date, verdict_state(name), name.is_gated)
        for name in names
    ]


def of_list(landing):
    return landing.root / "google_ads" / "111" / "campaigns"


deeds = st.one_of(
    st.tuples(st.just("land"), st.sampled_from([None, 3, 9]), st.sampled_from([None, *STATES])),
    st.tuples(st.just("judge"), st.integers(0, 30), st.sampled_from(STATES)),
    st.tuples(st.just("index"), st.integers(-3, 20), st.none()),
)


@settings(max_examples=150)
@given(st.lists(deeds, max_size=14))
def test_with_an_index_the_same_batches_have_the_same_states(tmp_path_factory, done):
    """Whatever lands, is judged, judged anew and indexed, in whatever order."""
    landing = Landing(tmp_path_factory.mktemp("landing"))
    batches = []
    night = NIGHT
    for deed, number, state in done:
        if deed == "land":
            night += DAY
            days = None if number is None else Window(night - number * DAY, night)
            name = "campaigns" if number is None else "ad_daily"
            batches.append(landing.write(Unit("google_ads", "111", name, days), night, []))
            if state:
                judge(landing, batches[-1], state)
        elif deed == "judge" and batches:
            judge(landing, batches[number % len(batches)], state)
        elif deed == "index":
            landing.index(NIGHT + number * DAY)
        assert told(landing.names(is_indexed=True)) == told(landing.names())


def test_what_is_indexed_is_not_looked_at(landing, monkeypatch):
    landed(landing, LIST, 6, state="held")
    assert landing.index(NIGHT + 4 * DAY) == 4
    looked_at = []
    for ask in ("has", "read"):
        asked = getattr(LocalFolder, ask)

        def spy(folder, name, asked=asked):
            looked_at.append(folder.name[:6])
            return asked(folder, name)

        monkeypatch.setattr(LocalFolder, ask, spy)
    names = landing.names(is_indexed=True)
    assert [verdict_state(name) for name in names] == ["held"] * 6
    assert all(name.is_gated for name in names)
    assert set(looked_at) == {"campai", "000005", "000006"}


def test_it_ends_at_the_first_batch_that_is_new_or_not_judged(landing):
    batches = landed(landing, LIST, 6)
    (batches[2].path / VERDICT).unlink()
    assert landing.index(NIGHT + 4 * DAY) == 2
    assert landing.index(NIGHT) == 0
    assert not of_list(landing).has(INDEX), "an index of nothing is none"


def test_a_verdict_that_is_another_takes_the_index_away(landing):
    batches = landed(landing, LIST, 6)
    landing.index(NIGHT + 4 * DAY)
    judge(landing, batches[5], "held")
    assert read_index(of_list(landing)).last == batches[3].folder.name, "it knew nothing of that"
    judge(landing, batches[3], "held")
    assert read_index(of_list(landing)).batches == ()
    landing.index(NIGHT + 4 * DAY)
    assert read_index(of_list(landing)).stopped == {batches[3].folder.name: "held"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"batches": [',
        b"[]",
        b'{"batches": ["000001_x"], "format": 2}',
        b'{"batches": ["000001_x"]}',
        b'{"batches": ["000001_\xff"]}',
    ],
)
def test_one_that_cannot_be_read_is_none(landing, content):
    landed(landing, LIST, 3)
    of_list(landing).write(INDEX, content)
    assert told(landing.names(is_indexed=True)) == told(landing.names())


def test_what_is_judged_anew_meanwhile_is_not_indexed_as_it_was(landing, monkeypatch):
    """The gate judges a batch whose verdict is read already, and whose index is not written yet."""
    batches = landed(landing, LIST, 3, state="held")
    write = landing_module.write_index
    threads = []

    def late(stream, judged):
        threads.append(Thread(target=judge, args=(landing, batches[0], "passed")))
        threads[0].start()
        threads[0].join(0.3)
        write(stream, judged)

    monkeypatch.setattr(landing_module, "write_index", late)
    landing.index(NIGHT + 2 * DAY)
    threads[0].join()
    states = [verdict_state(name) for name in landing.names(is_indexed=True)]
    assert states == ["passed", "held", "held"]


def test_a_batch_that_was_moved_away_since_is_not_there(landing):
    batches = landed(landing, LIST, 3)
    landing.index(NIGHT + 2 * DAY)
    batches[0].path.rename(landing.root.path / "away")
    gone, *there = landing.names(is_indexed=True)
    assert read_if_there(gone) is None
    assert [read_if_there(name) for name in there] == batches[1:]
    landing.index(NIGHT + 2 * DAY)
    assert [name.sequence for name in landing.names(is_indexed=True)] == [2, 3]


def test_so_many_batches_that_names_do_not_sort_by_number_have_no_index(landing, monkeypatch):
    landed(landing, LIST, 3)
    landing.index(NIGHT + 2 * DAY)
    monkeypatch.setattr(index_module, "MOST", 1)
    landing.index(NIGHT + 2 * DAY)
    assert not of_list(landing).has(INDEX)
