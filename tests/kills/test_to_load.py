"""A night killed while it pulls, lands, gates or loads, and run again, holds what it would have."""

from __future__ import annotations

from datetime import date

import pytest

from tests.kills.conftest import FIRST, SECOND, Bench
from tests.kills.left import files, landed, loaded
from tests.kills.life import Point, Step

pytestmark = pytest.mark.slow

POINTS = [
    Point("pull", "before", "ingest.pull:_drafted"),
    Point("pull", "before", "ingest.landing:Draft.add"),
    Point("pull", "after", "ingest.landing:Draft.add", 5),
    Point("pull", "before", "ingest.landing:Draft.commit"),
    Point("pull", "half", "ingest.store:write_private"),
    Point("pull", "before", "pathlib:Path.rename"),
    Point("pull", "after", "pathlib:Path.rename"),
    Point("pull", "half", "ingest.store:write_private", 2),
    Point("pull", "before", "pathlib:Path.rename", 4),
    Point("pull", "after", "pathlib:Path.rename", 4),
    Point("pull", "after", "ingest.landing:Draft.commit", 3),
    Point("gate", "before", "expectations.gate:_gate"),
    Point("gate", "before", "pathlib:Path.replace"),
    Point("gate", "after", "pathlib:Path.replace"),
    Point("gate", "after", "pathlib:Path.replace", 2),
    Point("gate", "before", "pathlib:Path.replace", 3),
    Point("gate", "after", "expectations.gate:_gate", 3),
    Point("report", "before", "boscard.night:Night.report"),
    Point("report", "half", "pathlib:Path.write_bytes"),
    Point("load", "before", "warehouse.load:load_night"),
    Point("load", "after", "warehouse.load:load_rows", 2),
    Point("load", "after", "warehouse.load:record_batch", 3),
    Point("load", "after", "warehouse.load:_load_batch", 3),
    Point("load", "before", "warehouse.load:record_status"),
    Point("load", "after", "warehouse.load:load_night"),
]


# From which undisturbed home each killed step goes on, and how far.
AROUND: dict[Step, tuple[date, Step, tuple[Step, ...]]] = {
    "pull": (FIRST, "tell", ("pull",)),
    "gate": (SECOND, "pull", ("gate", "report")),
    "report": (SECOND, "pull", ("gate", "report")),
    "load": (SECOND, "report", ("load",)),
}


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_a_second_night(bench: Bench, point: Point) -> None:
    day, before, steps = AROUND[point.step]
    home = bench.copy(day, before)
    bench.kill(home, steps, point)
    bench.live(home, steps)
    whole = bench.home_after(SECOND, steps[-1])
    assert landed(home) == landed(whole)
    assert loaded(home) == loaded(whole)
    assert files(home) == files(whole)
