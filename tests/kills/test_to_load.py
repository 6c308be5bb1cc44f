"""A night killed while it pulls, lands, gates or loads, and run again, holds what it would have."""

from __future__ import annotations

import pytest

from tests.kills.conftest import FIRST, SECOND, Bench
from tests.kills.left import files, landed, loaded
from tests.kills.life import TO_LOADED, Point

pytestmark = pytest.mark.slow

POINTS = [
    Point("pull", "before", "ingest.pull:_drafted"),
    Point("pull", "before", "ingest.landing:Draft.add"),
    Point("pull", "after", "ingest.landing:Draft.add", 5),
    Point("pull", "before", "ingest.landing:Draft.commit"),
    Point("pull", "half", "ingest.landing:_write_private"),
    Point("pull", "before", "pathlib:Path.rename"),
    Point("pull", "after", "pathlib:Path.rename"),
    Point("pull", "half", "ingest.landing:_write_private", 2),
    Point("pull", "before", "pathlib:Path.rename", 4),
    Point("pull", "after", "pathlib:Path.rename", 4),
    Point("pull", "after", "ingest.landing:Draft.commit", 3),
    Point("gate", "before", "expectations.gate:_gate"),
    Point("gate", "before", "pathlib:Path.rename"),
    Point("gate", "after", "pathlib:Path.rename"),
    Point("gate", "after", "pathlib:Path.rename", 2),
    Point("gate", "before", "pathlib:Path.rename", 3),
    Point("gate", "after", "expectations.gate:_gate", 3),
    Point("report", "before", "boscard.night:Night.report"),
    Point("report", "half", "pathlib:Path.write_text"),
    Point("load", "before", "warehouse.load:load_night"),
    Point("load", "after", "warehouse.load:load_rows", 2),
    Point("load", "after", "warehouse.load:record_batch", 3),
    Point("load", "after", "warehouse.load:_load_batch", 3),
    Point("load", "before", "warehouse.load:record_status"),
    Point("load", "after", "warehouse.load:load_night"),
]


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_a_second_night(bench: Bench, point: Point) -> None:
    home = bench.copy(FIRST)
    bench.kill(home, TO_LOADED, point)
    bench.live(home, TO_LOADED)
    whole = bench.home_after(SECOND, "load")
    assert landed(home) == landed(whole)
    assert loaded(home) == loaded(whole)
    assert files(home) == files(whole)
