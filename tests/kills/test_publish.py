"""A publication killed at any instant, and run again: readers see the night before, then this one,
each whole, and never an error."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from boscard.home import Home
from publish.contract import View
from publish.login import READER
from publish.read import current_record
from tests.kills.conftest import FIRST, SECOND, Bench
from tests.kills.left import Shown, files, in_duckdb, in_parquet, in_postgres
from tests.kills.life import Point
from tests.kills.readers import polling

pytestmark = pytest.mark.slow

POINTS = [
    Point("publish", "before", "publish.publication:read_candidate"),
    Point("publish", "before", "publish.files:_to_disk"),
    Point("publish", "before", "publish.files:_write_parquet"),
    Point("publish", "before", "publish.files:_to_disk", 6),
    Point("publish", "half", "pathlib:Path.write_text"),
    Point("publish", "before", "pathlib:Path.rename"),
    Point("publish", "after", "publish.publication:write_files"),
    Point("publish", "after", "publish.postgres:Transaction._stage", 5),
    Point("publish", "after", "publish.postgres:Transaction.replace", 5),
    Point("publish", "after", "publish.postgres:Transaction.append", 2),
    Point("publish", "before", "publish.publication:point_current"),
    Point("publish", "after", "pathlib:Path.symlink_to"),
    Point("publish", "after", "pathlib:Path.symlink_to", 2),
    Point("publish", "after", "publish.publication:point_current"),
    Point("publish", "after", "publish.publication:prune"),
    Point("page", "before", "boscard.night:Night.page"),
    Point("page", "half", "pathlib:Path.write_text"),
    Point("page", "after", "boscard.night:Night.page"),
]


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_a_second_night(
    bench: Bench, views: Sequence[View], undisturbed: Shown, point: Point
) -> None:
    home = bench.copy(SECOND, "transform")
    database = bench.database(home.name, template="first")
    url = bench.url(database, READER)
    before = current_record(Home(home))
    assert before is not None
    assert before.as_of_date == FIRST
    steps = ("publish", "page", "tell")
    with polling(home, url, views) as seen:
        bench.kill(home, steps, point, database=database)
        seen.wait()
        with seen.meanwhile():
            bench.live(home, steps, database=database)
    assert seen.wrong == []
    both = [before.publication_id, undisturbed.record.publication_id]
    assert seen.publications == {"Postgres": both, "DuckDB": both, "Parquet": both}
    places = (in_postgres(url, views), in_duckdb(home, views), in_parquet(home, views))
    assert {place.lasting for place in places} == {undisturbed.lasting}
    assert files(home) == files(bench.home_after(SECOND, "tell"))
