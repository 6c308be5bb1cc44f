"""A dbt build that is killed leaves no marts to publish, and run again builds the same."""

from __future__ import annotations

import pytest

from boscard.clock import Clock
from boscard.home import Home
from publish.audit import audit
from publish.candidate import NotTransformedError, read_candidate
from tests.kills.conftest import SECOND, Bench
from tests.kills.left import Shown, files, loaded
from tests.kills.life import Point

pytestmark = pytest.mark.slow

DBT = "dbt.adapters.duckdb.connections:DuckDBConnectionManager"
POINTS = [
    Point("transform", "before", "dbt.cli.main:dbtRunner.invoke"),
    Point("transform", "after", f"{DBT}.add_query", 150),
    Point("transform", "before", "dbt.artifacts.schemas.run.v5.run:write_json"),
    Point("transform", "after", "dbt.cli.main:dbtRunner.invoke"),
]


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_a_second_night(bench: Bench, undisturbed: Shown, point: Point) -> None:
    home = bench.copy(SECOND, "load")
    bench.kill(home, ("transform",), point)
    company = bench.settings.company
    clock = Clock(SECOND, company.zone, company.publication_hour)
    if point.when != "after" or "Runner" not in point.call:
        with pytest.raises(NotTransformedError):
            read_candidate(Home(home), clock)
        assert not audit(Home(home), bench.settings, clock).may_publish
    bench.live(home, ("transform",))
    candidate = read_candidate(Home(home), clock)
    assert candidate.content_hash == undisturbed.record.content_hash
    assert candidate.publication_id == undisturbed.record.publication_id
    whole = bench.home_after(SECOND, "transform")
    assert loaded(home) == loaded(whole)
    assert files(home) == files(whole)
