"""Any night is what landing says: rebuilt from there, it has the hash it was published by."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from boscard.home import Home
from boscard.replay import ReplayFailed, nights_landed, replay
from boscard.upkeep import compact_landing, release_bytes
from ingest.batch import ROWS
from ingest.landing import Landing
from publish.candidate import read_candidate
from publish.read import current_record
from tests.end_to_end.conftest import FIRST, START, Left
from tests.end_to_end.nights import Installation, command
from warehouse.errors import WarehouseBusy
from warehouse.lock import writer_lock

LATER = datetime(2027, 10, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def landed(
    installation: Installation, second: Left, tmp_path_factory: pytest.TempPathFactory
) -> Home:
    """What is left when the warehouse and all of dbt's work are lost, a year's upkeep later."""
    home = Home(tmp_path_factory.mktemp("replay") / "var")
    for folder in ("landing", "publications"):
        shutil.copytree(installation.home.root / folder, home.root / folder, symlinks=True)
    for part in (release_bytes, compact_landing):
        assert part(home, installation.settings, LATER).items > 0
    return home


def test_a_lost_warehouse_is_rebuilt_with_the_same_hash(
    landed: Home, installation: Installation
) -> None:
    published = current_record(landed)
    assert published is not None
    done = replay(landed, installation.settings, None, Console(quiet=True))
    assert done.night == published.as_of_date == nights_landed(Landing(landed.landing))[-1]
    assert done.is_reproduced is True
    assert done.candidate.publication_id == published.publication_id
    assert list(landed.replays.iterdir()) == []
    again = read_candidate(landed, installation.night(done.night).clock)
    assert again.content_hash == published.content_hash


def test_an_earlier_night_is_rebuilt_beside_the_warehouse(
    landed: Home, installation: Installation, first: Left
) -> None:
    said = command(replace(installation, home=landed), "replay", "--date", f"{FIRST}")
    rebuilt = landed.replays / str(FIRST)
    assert (rebuilt / "warehouse" / "warehouse.duckdb").exists()
    candidate = read_candidate(Home(rebuilt), installation.night(FIRST).clock)
    assert candidate.content_hash == first.publication.content_hash
    assert first.publication.content_hash in said
    assert "the same to the last row" in said


def test_no_batch_of_which_a_row_counts_has_lost_its_bytes(
    landed: Home, installation: Installation, second: Left
) -> None:
    with duckdb.connect(str(installation.home.warehouse), read_only=True) as warehouse:
        tables = "select table_name from duckdb_tables() where schema_name = 'raw'"
        counting = {
            (*name.split("__"), account, batch_id)
            for (name,) in warehouse.execute(tables).fetchall()
            for account, batch_id in warehouse.execute(
                f'select distinct _account, _batch_id from raw."{name}"'
            ).fetchall()
        }
    left = {
        (each.source, each.stream, each.account, each.batch_id)
        for batch in Landing(landed.landing).batches()
        if (batch.path / ROWS).exists() and (each := batch.manifest)
    }
    assert counting
    assert counting <= left


def test_a_night_that_never_landed_is_refused(landed: Home, installation: Installation) -> None:
    with pytest.raises(ReplayFailed, match=f"nights: {FIRST} to"):
        replay(landed, installation.settings, START, Console(quiet=True))
    with pytest.raises(ReplayFailed, match="nights: none"):
        replay(Home(Path("nowhere")), installation.settings, None, Console(quiet=True))


def test_a_warehouse_that_is_written_is_not_swapped(
    landed: Home, installation: Installation
) -> None:
    with writer_lock(landed), pytest.raises(WarehouseBusy):
        replay(landed, installation.settings, None, Console(quiet=True))
