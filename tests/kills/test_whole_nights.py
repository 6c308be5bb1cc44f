"""Nights killed in every room, and nights killed at any moment, end in the same publication."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Sequence

import pytest

from publish.contract import View
from publish.login import READER
from tests.kills.conftest import FIRST, SECOND, Bench
from tests.kills.left import Shown, files, in_duckdb, in_parquet, in_postgres, landed, loaded
from tests.kills.life import TO_LOADED, WHOLE, Point, end
from tests.kills.readers import PLACES, polling

pytestmark = pytest.mark.slow

IN_EVERY_ROOM = [
    Point("pull", "after", "ingest.landing:Draft.add", 7),
    Point("pull", "after", "pathlib:Path.rename", 3),
    Point("gate", "after", "pathlib:Path.replace", 5),
    Point("load", "after", "warehouse.load:load_rows", 7),
    Point("transform", "after", "warehouse.transform:transform"),
    Point("publish", "after", "publish.postgres:Transaction.replace", 3),
    Point("publish", "after", "pathlib:Path.symlink_to"),
    Point("page", "half", "pathlib:Path.write_text"),
]


def test_a_night_killed_in_every_room(
    bench: Bench, views: Sequence[View], undisturbed: Shown
) -> None:
    home = bench.copy(FIRST)
    database = bench.database(home.name, template="first")
    url = bench.url(database, READER)
    before = in_duckdb(home, views).record.publication_id
    with polling(home, url, views, pause=1) as seen:
        for point in IN_EVERY_ROOM:
            bench.kill(home, WHOLE, point, database=database)
            seen.wait()
        with seen.meanwhile():
            bench.live(home, WHOLE, database=database)
    assert seen.wrong == []
    both = [before, undisturbed.record.publication_id]
    assert seen.publications == dict.fromkeys(PLACES, both)
    places = (in_postgres(url, views), in_duckdb(home, views), in_parquet(home, views))
    assert {place.lasting for place in places} == {undisturbed.lasting}
    assert files(home) == files(bench.home_after(SECOND, "tell"))


@pytest.mark.parametrize("seed", range(2))
def test_a_night_killed_at_any_moment(bench: Bench, seed: int) -> None:
    """Also within a COPY, a commit, a checkpoint: wherever no Python function begins or ends."""
    chance = random.Random(seed)
    started = time.monotonic()
    bench.live(bench.copy(FIRST), TO_LOADED)
    took = time.monotonic() - started
    home = bench.copy(FIRST)
    for _ in range(6):
        process = bench.begin(home, TO_LOADED)
        process.join(chance.uniform(0, took))
        process.kill()
        assert end(process) in (0, -signal.SIGKILL)
    bench.live(home, TO_LOADED)
    whole = bench.home_after(SECOND, "load")
    assert landed(home) == landed(whole)
    assert loaded(home) == loaded(whole)
    assert files(home) == files(whole)
