"""The very first night killed while it makes what later nights find: tables, a server, views."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from publish.contract import View
from publish.embedded import Embedded
from publish.login import READER
from tests.kills.conftest import FIRST, Bench
from tests.kills.left import files, in_duckdb, in_parquet, in_postgres, landed, loaded
from tests.kills.life import Point

pytestmark = pytest.mark.slow

TO_LOAD = [
    Point("pull", "after", "ingest.store:make_private", 3),
    Point("pull", "after", "ingest.landing:Draft.commit", 3),
    Point("load", "before", "pathlib:Path.chmod"),
    Point("load", "before", "pathlib:Path.replace"),
    Point("load", "after", "warehouse.tables:_missing"),
    Point("load", "after", "warehouse.load:ensure_tables"),
    Point("load", "after", "warehouse.load:_load_batch"),
]
TO_PUBLISH = [
    Point("publish", "before", "publish.embedded:hand_over"),
    Point("publish", "after", "publish.embedded:Embedded._run"),
    Point("publish", "before", "publish.embedded:Embedded._prepare_roles"),
    Point("publish", "after", "publish.schema:_structure"),
    Point("publish", "after", "publish.publication:prepare"),
    Point("publish", "after", "publish.publication:write_files"),
    Point("publish", "before", "publish.publication:point_current"),
]


@pytest.mark.parametrize("point", TO_LOAD, ids=str)
def test_landing_and_warehouse(bench: Bench, point: Point) -> None:
    home = bench.copy() if point.step == "pull" else bench.copy(FIRST, "report")
    bench.kill(home, (point.step,), point, day=FIRST)
    bench.live(home, (point.step,), day=FIRST)
    whole = bench.home_after(FIRST, point.step)
    assert landed(home) == landed(whole)
    assert loaded(home) == loaded(whole)
    assert files(home) == files(whole)


@pytest.mark.parametrize("point", TO_PUBLISH, ids=str)
def test_a_server_and_its_views(bench: Bench, views: Sequence[View], point: Point) -> None:
    """With an embedded server of its own, which nothing else has started."""
    home = bench.copy(FIRST, "transform")
    bench.kill(home, ("publish",), point, day=FIRST, database=None)
    bench.live(home, ("publish",), day=FIRST, database=None)
    server = Embedded(home / "postgres")
    assert not server.is_running()
    whole = in_duckdb(bench.home_after(FIRST, "publish"), views)
    server.start()
    try:
        places = (
            in_postgres(server.login(READER).url, views),
            in_duckdb(home, views),
            in_parquet(home, views),
        )
    finally:
        server.stop()
    assert {place.lasting for place in places} == {whole.lasting}
    kept = {"postgres", "postgres/lock", "postgres/port", "postgres/passwords"}
    left = set(files(home)) - set(files(bench.home_after(FIRST, "publish")))
    assert {name for name in left if not name.startswith("postgres/passwords/")} == kept
