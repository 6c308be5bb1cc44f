"""The linter of the definitions: each rule is broken once, in a copy of the project."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from boscard.home import Home
from boscard.settings import Settings
from tests.dbt_project.scorecard.conftest import NIGHTS, dbt
from warehouse.transform import DBT_PROJECT

Row = dict[str, str]
Change = Callable[[list[Row]], None]


def _set(column: str, value: str, **where: str) -> Change:
    def change(rows: list[Row]) -> None:
        found = [row for row in rows if all(row[name] == text for name, text in where.items())]
        assert found, f"no row where {where}"
        for row in found:
            row[column] = value

    return change


def _add(**row: str) -> Change:
    return lambda rows: rows.append(row)


BROKEN: dict[str, list[Change]] = {
    "kpi_definitions": [
        _set("objective_id", "win_customers", kpi_id="P04"),
        _set("owner_id", "nobody", kpi_id="C02"),
        _set("version", "3", kpi_id="P01", version="2"),
        _set("weight", "0", kpi_id="L05"),
        _set("weight", "0", kpi_id="L07"),
        _set("steward_id", "p06", kpi_id="F04"),
        _set("denominator", "Nothing", kpi_id="F01"),
        _set("grain", "company and day", kpi_id="F07"),
        _set("source_systems", "Google Ads", kpi_id="F08"),
    ],
    "objectives": [_set("parent_objective_id", "", objective_id="able_team")],
    "perspectives": [_set("weight", "300", perspective_id="process")],
    "people": [
        _set("valid_to", "2026-02-01", person_id="p06"),
        _set("valid_to", "2020-01-01", person_id="p09"),
    ],
    "kpi_targets": [
        _set("green_from", "2.2", kpi_id="F04", period_type="month"),
        _set("red_below", "50", kpi_id="F07", period_type="quarter", valid_from="2026-07-01"),
        _set("tolerance", "0", kpi_id="F01", period_type="month", valid_from="2026-04-01"),
        _set("kpi_id", "X99", kpi_id="C05", period_type="month"),
    ],
    "kpi_measures": [_set("stream", "ad_daily", kpi_id="P01", part="numerator")],
    "kpi_segments": [_set("segment_type", "channel", kpi_id="P07")],
    "strategy_links": [
        _add(
            cause_objective_id="earn_more_per_euro",
            effect_objective_id="trusted_data",
            valid_from="2025-01-01",
            because="Circles prove nothing.",
        )
    ],
}
FOUND = {
    "kpi_belongs_to_an_objective_and_its_perspective": "fail",
    "objective_serves_a_goal_in_a_perspective": "fail",
    "perspective_has_a_scored_kpi": "fail",
    "perspective_has_at_most_60_percent_of_weight": "fail",
    "owners_and_stewards_are_known": "fail",
    "owners_and_stewards_are_here_today": "warn",
    "people_leave_after_they_came": "fail",
    "kpi_versions_count_up": "fail",
    "definitions_say_what_is_counted": "fail",
    "grain_is_the_finest_segment": "fail",
    "source_systems_are_those_it_rests_on": "fail",
    "targets_agree_with_their_direction": "fail",
    "kpi_rows_name_known_kpis": "fail",
    "kpi_is_shown_for_the_company": "fail",
    "kpi_measures_are_of_the_streams_it_rests_on": "fail",
    "strategy_links_join_known_objectives": "fail",
}


@pytest.fixture(scope="module")
def statuses(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> dict[str, str]:
    root = tmp_path_factory.mktemp("definitions")
    project, home = root / "project", Home(root / "var")
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    for seed, changes in BROKEN.items():
        _rewrite(project / "seeds" / f"{seed}.csv", changes)
    home.warehouse.parent.mkdir(parents=True)
    duckdb.connect(str(home.warehouse)).close()
    selected = ("--select", "path:seeds", "path:tests/definitions")
    return dbt(home, settings, NIGHTS[0], "build", *selected, project=project)


def _rewrite(path: Path, changes: list[Change]) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for change in changes:
        change(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("rule", sorted(FOUND))
def test_rule_finds_what_breaks_it(rule: str, statuses: dict[str, str]) -> None:
    assert statuses[rule] == FOUND[rule]


def test_every_rule_is_broken_here() -> None:
    assert {path.stem for path in (DBT_PROJECT / "tests" / "definitions").glob("*.sql")} == set(
        FOUND
    )
