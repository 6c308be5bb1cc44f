from __future__ import annotations

from datetime import date

import duckdb
import pytest

from boscard.home import Home
from ingest.landing import Landing
from tests.warehouse.landed import KEY, a_clock, ad_day, land
from warehouse.errors import WarehouseBusy
from warehouse.load import load
from warehouse.lock import writer_lock
from warehouse.replay import rebuild, swap_in

FIRST, SECOND, THIRD = date(2025, 10, 18), date(2025, 10, 19), date(2025, 10, 20)
NIGHTS = (FIRST, SECOND, THIRD)
START = date(2025, 10, 1)


@pytest.fixture
def lived(home: Home, settings) -> Home:
    """Three nights: history; restated days and a held list; a night without a batch."""
    landing = Landing(home.landing)
    days = [ad_day(date(2025, 10, number), clicks=number) for number in range(1, 19)]
    ads = ("google_ads", "100", "campaign_daily")
    land(landing, *ads, days, as_of=FIRST, window=(START, FIRST), quarantined=[ad_day(START, "2")])
    campaigns = ("google_ads", "100", "campaigns")
    listed = [{"account_id": "100", "campaign_id": name} for name in "12"]
    land(landing, *campaigns, listed, as_of=FIRST)
    load(home, settings, a_clock(FIRST, settings), KEY)
    restated = [ad_day(SECOND, clicks=1)]
    land(landing, *ads, restated, as_of=SECOND, window=(date(2025, 10, 17), SECOND))
    land(landing, *campaigns, listed[:1], as_of=SECOND)
    held = [{"account_id": "200", "campaign_id": "9"}]
    land(landing, "google_ads", "200", "campaigns", held, as_of=SECOND, state="held")
    load(home, settings, a_clock(SECOND, settings), KEY)
    load(home, settings, a_clock(THIRD, settings), KEY)
    return home


@pytest.fixture
def replayed(lived, tmp_path, settings):
    def replayed(*nights: date) -> Home:
        scratch = Home(tmp_path / "scratch")
        told: list[date] = []
        clocks = [a_clock(night, settings) for night in nights]
        rebuilt = rebuild(lived, scratch, settings, clocks, KEY, told.append)
        assert told == list(nights)
        assert rebuilt.nights == len(nights)
        return scratch

    return replayed


def tables(home: Home) -> dict[str, list[tuple]]:
    """Every row of every table that the load writes, save when a table was made."""
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        names = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
            " where table_name not in ('migrations', 'formats')"
        ).fetchall()
        return {
            name: connection.execute(f"select * from {name} order by all").fetchall()
            for (name,) in names
        }


def test_every_table_is_as_the_nights_left_it(lived, replayed) -> None:
    before = tables(lived)
    assert len(before["raw.google_ads__campaign_daily"]) == 17
    assert {row[0] for row in before["ops.stream_status"]} == set(NIGHTS)
    lived.warehouse.unlink()
    assert tables(replayed(*NIGHTS)) == before


def test_an_earlier_night_is_rebuilt_without_what_came_later(lived, replayed) -> None:
    found = tables(replayed(FIRST))
    assert len(found["raw.google_ads__campaign_daily"]) == 18
    assert not any(row[-1] for row in found["raw.google_ads__campaigns"])
    assert {row[0] for row in found["ops.stream_status"]} == {FIRST}


def test_what_an_earlier_replay_left_is_replaced(replayed) -> None:
    everything = tables(replayed(*NIGHTS))
    assert tables(replayed(FIRST)) != everything
    assert tables(replayed(*NIGHTS)) == everything


def test_a_replay_leaves_the_warehouse_alone(lived, replayed) -> None:
    content = lived.warehouse.read_bytes()
    with writer_lock(lived):
        replayed(*NIGHTS)
    assert lived.warehouse.read_bytes() == content


def test_the_rebuilt_file_takes_the_place_of_the_old_one_and_its_log(lived, replayed) -> None:
    scratch = replayed(*NIGHTS)
    expected = tables(scratch)
    scratch.dbt_target.mkdir()
    for name in ("manifest.json", "run_results.json"):
        (scratch.dbt_target / name).write_text(f'"{name} of the replay"', encoding="utf-8")
    lived.warehouse.write_bytes(b"not a database any more")
    log = lived.warehouse.with_name("warehouse.duckdb.wal")
    log.write_bytes(b"the log of another file")
    swap_in(lived, scratch)
    assert tables(lived) == expected
    assert not log.exists()
    assert not scratch.root.exists()
    assert lived.warehouse.stat().st_mode & 0o077 == 0
    found = (lived.dbt_target / "run_results.json").read_text("utf-8")
    assert found == '"run_results.json of the replay"'


def test_one_replay_at_a_time_writes_a_folder(lived, replayed) -> None:
    scratch = replayed(FIRST)
    with writer_lock(scratch), pytest.raises(WarehouseBusy):
        replayed(FIRST)
