"""A batch is loaded exactly once, in its own night."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pytest

from ingest.batch import MANIFEST, TYPED, VERDICT
from tests.warehouse.landed import ad_day, gate
from tests.warehouse.loads import (
    ADS,
    NIGHT,
    a_result,
    ads,
    campaigns,
    day,
    everything,
)
from warehouse import load as load_module
from warehouse.errors import BatchBroken, NightRefused


class TestOnce:
    def test_a_second_call_changes_nothing(self, landing, load_night, home) -> None:
        ads(landing, [ad_day(day(3), clicks=1)], results=[a_result()])
        campaigns(landing, ["1"], quarantined=["9"])
        first = load_night()
        before = everything(home)
        second = load_night()
        assert [len(first.loaded), len(second.loaded)] == [2, 0]
        assert everything(home) == before

    def test_nothing_is_opened_of_what_passed_and_is_loaded(
        self, landing, load_night, home
    ) -> None:
        batch = ads(landing, [ad_day(day(3), clicks=1)])
        load_night()
        before = everything(home)
        for name in (MANIFEST, VERDICT, TYPED):
            (batch.path / name).write_bytes(b"not to be read")
        assert load_night().loaded == ()
        assert everything(home) == before

    def test_killed_between_rows_and_record_it_loads_again(
        self, landing, load_night, query, monkeypatch
    ) -> None:
        ads(landing, [ad_day(day(3), clicks=1)])

        def die(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(load_module, "record_batch", die)
            with pytest.raises(KeyboardInterrupt):
                load_night()
        assert query(ADS) == []
        load_night()
        assert query(ADS) == [("1", day(3), 1)]

    @pytest.mark.parametrize("state", ["held", "blocked"])
    def test_a_stopped_batch_is_recorded_and_kept_out(
        self, landing, load_night, query, state
    ) -> None:
        ads(landing, [ad_day(day(3), clicks=1)])
        ads(landing, [ad_day(day(3), clicks=5)], state=state)
        report = load_night()
        assert (len(report.loaded), len(report.held)) == (1, 1)
        assert query(ADS) == [("1", day(3), 1)]
        sql = "select sequence, state, rows_in, rows_loaded, rows_held from ops.loaded_batches"
        assert query(sql + " order by 1") == [(1, "passed", 1, 1, 0), (2, state, 1, 0, 1)]

    def test_nothing_is_opened_of_what_is_indexed_and_recorded(self, landing, load_night) -> None:
        batch = ads(landing, [ad_day(day(3), clicks=1)], state="held")
        load_night()
        landing.index(NIGHT + timedelta(days=1))
        for name in (MANIFEST, VERDICT):
            (batch.path / name).write_bytes(b"not to be read")
        assert load_night().held == ()

    def test_what_was_held_and_indexed_is_loaded_when_it_passes(
        self, landing, load_night, query
    ) -> None:
        rows = [ad_day(day(3), clicks=1)]
        batch = ads(landing, rows, state="held")
        load_night()
        landing.index(NIGHT + timedelta(days=1))
        with landing.unindexed(batch):
            gate(batch, rows)
        assert len(load_night().loaded) == 1
        assert query(ADS) == [("1", day(3), 1)]
        assert query("select state from ops.loaded_batches") == [("passed",)]
        assert query("select count(*) from ops.calls") == [(1,)], "recorded anew, and not beside"

    def test_what_is_indexed_and_was_moved_away_is_not_there(
        self, landing, load_night, query
    ) -> None:
        batch = ads(landing, [ad_day(day(3), clicks=1)])
        ads(landing, [ad_day(day(4), clicks=2)])
        landing.index(NIGHT + timedelta(days=1))
        batch.path.rename(landing.root.path / "away")
        assert len(load_night().loaded) == 1
        assert query(ADS) == [("1", day(4), 2)]

    def test_what_no_gate_has_seen_waits(self, landing, load_night, query) -> None:
        ads(landing, [ad_day(day(3))], gated=False)
        report = load_night()
        assert len(report.ungated) == 1
        assert query(ADS) == []

    def test_a_file_cut_short_is_refused(self, landing, load_night) -> None:
        batch = ads(landing, [ad_day(day(3)), ad_day(day(4))])
        with duckdb.connect() as connection:
            path = str(batch.path / TYPED)
            connection.execute(f"create table t as select * from '{path}' limit 1")
            connection.execute(f"copy t to '{path}' (format parquet)")
        with pytest.raises(BatchBroken, match=r"typed\.parquet has 1 rows, the verdict says 2"):
            load_night()


class TestNights:
    def test_batches_of_a_later_night_wait_for_it(self, landing, load_night, query) -> None:
        ads(landing, [ad_day(day(3), clicks=1)])
        later = NIGHT + timedelta(days=1)
        ads(landing, [ad_day(day(3), clicks=2)], as_of=later)
        load_night()
        assert query(ADS) == [("1", day(3), 1)]
        load_night(later)
        assert query(ADS) == [("1", day(3), 2)]

    def test_an_older_night_is_refused(self, landing, load_night) -> None:
        load_night()
        with pytest.raises(
            NightRefused, match=r"2025-10-19 is older than what is loaded, 2025-10-20"
        ):
            load_night(NIGHT - timedelta(days=1))
