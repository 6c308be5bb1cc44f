from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from publish.publication import publish
from publish.read import NothingPublishedError, current_record, read


def test_a_view_is_a_frame(installation: Any, database: Any) -> None:
    home = installation.home
    with pytest.raises(NothingPublishedError, match="run a night first"):
        read("scorecard", home)
    assert current_record(home) is None
    clock = installation.transform()
    published = publish(home, installation.settings, clock, postgres_url=database.writer)
    frame = read("kpi_values", home)
    assert len(frame) == 1107
    assert frame["value"].dtype == "float64"
    assert current_record(home) == published.record
    with pytest.raises(NothingPublishedError, match="there are: ad_performance_daily"):
        read("nope", home)


def test_a_process_with_an_old_file_open_reads_the_new_one(
    installation: Any, database: Any
) -> None:
    import duckdb

    for day in (date(2026, 5, 20), date(2026, 5, 21)):
        clock = installation.transform(day)
        published = publish(
            installation.home, installation.settings, clock, postgres_url=database.writer
        )
        if day == date(2026, 5, 20):
            old = duckdb.connect(str(published.duckdb.with_name("current.duckdb")), read_only=True)
    frame = read("ad_performance_daily", installation.home)
    assert frame["report_date"].max().date() == date(2026, 5, 21)
    seen = old.execute("select max(report_date) from kpi.ad_performance_daily").fetchone()
    assert seen == (date(2026, 5, 20),)
    old.close()
