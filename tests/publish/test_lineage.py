"""The seeds that say which rows a KPI rests on fit the source registry."""

from __future__ import annotations

import csv

import pytest

from boscard.home import PROJECT, Home
from ingest.registry import SOURCES
from publish.lineage import CannotExplainError, warehouse

SEEDS = PROJECT / "dbt_project/seeds"


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


LINKS = seed("kpi_sources")


@pytest.mark.parametrize("row", LINKS, ids=lambda row: f"{row['kpi_id']} {row['stream']}")
def test_rows_are_dated_by_a_column_that_holds_a_day(row):
    stream = SOURCES[row["source"]].streams[row["stream"]]
    if row["dated_by"]:
        assert stream.column(row["dated_by"]).type in ("date", "timestamp")


def test_each_lag_is_a_parameter_of_its_kpi():
    lags = {(row["kpi_id"], row["lag"]) for row in LINKS if row["lag"]}
    assert lags
    assert lags <= {(row["kpi_id"], row["parameter"]) for row in seed("kpi_parameters")}
    assert all(row["dated_by"] for row in LINKS if row["lag"])


def test_without_a_warehouse_the_next_step_is_named(tmp_path):
    with pytest.raises(CannotExplainError, match="boscard replay"), warehouse(Home(tmp_path)):
        pass
