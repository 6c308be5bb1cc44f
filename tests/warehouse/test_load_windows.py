"""Windowed streams: each day ends with what the newest batch over it says."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from boscard.home import Home
from expectations.verdict import read_verdict, write_verdict
from ingest.batch import TYPED
from ingest.landing import Landing
from tests.warehouse.landed import KEY, a_clock, ad_day, gate
from tests.warehouse.loads import (
    ADS,
    NIGHT,
    ads,
    day,
)
from warehouse.errors import BatchBroken
from warehouse.load import load


class TestWindow:
    def test_its_days_are_replaced_and_others_stay(self, landing, load_night, query) -> None:
        ads(landing, [ad_day(day(n), clicks=1) for n in range(1, 21)])
        ads(landing, [ad_day(day(18), clicks=7)], first=18)
        load_night()
        found = query(ADS)
        assert [row[1].day for row in found] == list(range(1, 19))
        assert found[-1] == ("1", day(18), 7)

    def test_another_account_is_left_alone(self, landing, load_night, query) -> None:
        ads(landing, [ad_day(day(3), clicks=1)], account="200")
        ads(landing, [ad_day(day(3), clicks=2)])
        load_night()
        ads(landing, [])
        load_night()
        assert query(ADS) == [("1", day(3), 1)]

    def test_rows_enter_in_the_order_of_days(self, landing, load_night, query) -> None:
        ads(landing, [ad_day(day(n)) for n in (9, 2, 14, 5)])
        load_night()
        rows = query("select report_date from raw.google_ads__campaign_daily")
        assert [row[0].day for row in rows] == [2, 5, 9, 14]

    @pytest.mark.parametrize(
        ("sent", "is_sorted"),
        [("day after day", False), ("campaign after campaign", True)],
    )
    def test_a_large_window_is_sorted_unless_its_rows_lie_day_after_day(
        self, landing, load_night, query, sent, is_sorted
    ) -> None:
        batch = ads(landing, [ad_day(day(1))])
        order = "report_date" if sent == "day after day" else "campaign_id::bigint"
        with duckdb.connect() as connection:
            connection.execute(
                "create table typed as select unnest(range(8192)) as number, * replace (null as"
                f" campaign_id) from read_parquet('{batch.path / TYPED}')"
            )
            connection.execute(
                "create table spread as select * exclude (number) replace (8192 - number // 20 as"
                " campaign_id, date '2025-10-01' + (number % 20)::int as report_date,"
                " number + 1 as _line) from typed"
            )
            connection.execute(
                f"copy (from spread order by {order}, _line) to '{batch.path / TYPED}'"
                " (format parquet, row_group_size 2048)"
            )
        verdict = read_verdict(batch)
        write_verdict(batch, replace(verdict, rows_in=8192, rows_loaded=8192))
        load_night()
        rows = query("select report_date, campaign_id from raw.google_ads__campaign_daily")
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)
        assert (rows == sorted(rows)) == is_sorted

    def test_an_older_batch_that_passes_late_brings_only_what_no_newer_one_covers(
        self, landing, load_night, query
    ) -> None:
        rows = [ad_day(day(n), clicks=1) for n in range(1, 6)]
        late = ads(landing, rows, last=5, state="held")
        ads(landing, [ad_day(day(4), clicks=9)], first=4, last=5)
        load_night()
        assert query(ADS) == [("1", day(4), 9)]
        gate(late, [row | {"account_id": "100"} for row in rows])
        load_night()
        assert [(row[1].day, row[2]) for row in query(ADS)] == [(1, 1), (2, 1), (3, 1), (4, 9)]

    def test_a_row_outside_its_window_is_refused(self, landing, load_night, query) -> None:
        ads(landing, [ad_day(day(9))], last=5)
        with pytest.raises(BatchBroken, match=r"1 typed rows lie outside 2025-10-01\.\.2025-10-05"):
            load_night()
        assert query("select count(*) from ops.loaded_batches") == [(0,)]

    def test_a_column_landed_before_it_was_declared_is_null(
        self, landing, load_night, query
    ) -> None:
        batch = ads(landing, [ad_day(day(2), clicks=4)])
        with duckdb.connect() as connection:
            path = str(batch.path / TYPED)
            connection.execute(f"create table t as select * exclude (clicks) from '{path}'")
            connection.execute(f"copy t to '{path}' (format parquet)")
        load_night()
        assert query(ADS) == [("1", day(2), None)]


Batches = st.lists(
    st.tuples(st.integers(1, 10), st.integers(0, 5), st.booleans()), min_size=1, max_size=5
)


@hypothesis_settings(max_examples=8, deadline=None)
@given(batches=Batches)
def test_it_does_not_matter_when_a_batch_is_let_through(settings, batches) -> None:
    """Every day ends with what the newest batch over it says, whenever each was loaded."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        landing = Landing(home.landing)
        late = []
        expected: dict[date, int] = {}
        for number, (start, length, is_late) in enumerate(batches, start=1):
            days = [day(n) for n in range(start, start + length + 1)]
            rows = [ad_day(one, clicks=number) for one in days]
            state = "held" if is_late else "passed"
            batch = ads(landing, rows, first=start, last=start + length, state=state)
            if is_late:
                late.append((batch, rows))
            expected |= dict.fromkeys(days, number)
        load(home, settings, a_clock(NIGHT, settings), KEY)
        for batch, rows in reversed(late):
            gate(batch, rows)
            load(home, settings, a_clock(NIGHT, settings), KEY)
        with duckdb.connect(str(home.warehouse), read_only=True) as connection:
            found = {row[1]: row[2] for row in connection.execute(ADS).fetchall()}
        assert found == expected
