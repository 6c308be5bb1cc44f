from __future__ import annotations

import json
from datetime import date
from typing import Any

import duckdb
import pytest

from publish import audit as module
from publish.audit import Audit, audit
from publish.contract import published_views
from publish.marts_suite import failed_expectations
from publish.parts import Slice, within
from publish.publication import publish

FIRST, SECOND = date(2026, 5, 20), date(2026, 5, 21)

BLOCKED = """
insert into ops.loaded_batches values ('b2', 'hubspot', '2', 'deals', '2026-05-20', '2026-05-20',
    '2026-05-20', 2, 'blocked', 5, 0, 0, 0, 5);
insert into ops.check_results values ('hubspot', '2', 'deals', 'b2', '2026-05-20', null, null,
    'hubspot.deals.currency', 'currency', 'critical', 'block', 'fail', '', '', 1, 5,
    'Deals came in an unknown currency.')
"""
LIFTED = (
    BLOCKED
    + """;
insert into ops.loaded_batches values ('b3', 'hubspot', '2', 'deals', '2026-05-20', '2026-05-20',
    '2026-05-20', 3, 'passed', 5, 5, 0, 0, 0)
"""
)


@pytest.fixture
def judge(installation: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Transform and audit, without the seconds of Great Expectations."""
    monkeypatch.setattr(module, "failed_expectations", lambda *_: [])

    def judged(day: date = FIRST, accept: bool = False, **changes: Any) -> Audit:
        clock = installation.transform(day, **changes)
        return audit(installation.home, installation.settings, clock, accept_movements=accept)

    return judged


def test_a_sound_night_may_be_published(judge: Any) -> None:
    result = judge()
    assert result.may_publish
    assert result.content_hash
    assert result.rows["scorecard"] == 241


@pytest.mark.parametrize(
    ("edit", "cause", "reason"),
    [
        (BLOCKED, "unknown currency", "hubspot/2/deals: batch b2 is blocked by hubspot.deals.curr"),
        ("delete from marts.fct_scorecard", "empty", "scorecard has no rows"),
        ("drop table marts.fct_deals", "missing", "no model is published as deals"),
        (
            "update marts.fct_kpi_values set value = 'nan' where kpi_id = 'F01'",
            "put together",
            "kpi_values.value: NaN",
        ),
        ("update marts.fct_deals set deal_id = null", "put together", "deals.deal_id: 3 nulls"),
    ],
    ids=["blocked batch", "empty view", "missing view", "not a number", "null key"],
)
def test_what_is_wrong_blocks_and_is_told_twice(
    judge: Any, edit: str, cause: str, reason: str
) -> None:
    result = judge(edit=edit)
    assert not result.may_publish
    assert any(cause in text for text in result.causes)
    assert any(reason in text for text in result.reasons)


def test_a_later_good_batch_lifts_the_block(judge: Any) -> None:
    assert judge(edit=LIFTED).may_publish


@pytest.mark.parametrize(
    ("status", "blocks"),
    [("fail", True), ("error", True), ("warn", False), ("pass", False), ("skipped", False)],
)
def test_dbt_results_count(installation: Any, judge: Any, status: str, blocks: bool) -> None:
    judge()
    path = installation.home.dbt_target / "run_results.json"
    results = json.loads(path.read_text())
    results["results"] = [
        {"unique_id": "test.boscard.unique_x.abc", "status": status, "message": "Got 3 results"}
    ]
    path.write_text(json.dumps(results))
    result = audit(installation.home, installation.settings, installation.clock(FIRST))
    assert result.may_publish is not blocks
    assert result.reasons == ([f"dbt test unique_x: {status}: Got 3 results"] if blocks else [])


@pytest.mark.parametrize("left", [None, '{"args": {"va'], ids=["absent", "torn"])
def test_marts_of_a_killed_build_block(installation: Any, judge: Any, left: str | None) -> None:
    judge(FIRST)
    path = installation.home.dbt_target / "run_results.json"
    path.unlink() if left is None else path.write_text(left)
    result = audit(installation.home, installation.settings, installation.clock(FIRST))
    assert "transform the night" in result.reasons[0]


def test_a_mart_that_was_not_built_blocks(installation: Any, judge: Any) -> None:
    judge(FIRST)
    with duckdb.connect(str(installation.home.warehouse)) as warehouse:
        warehouse.execute("drop table marts.fct_deals")
    result = audit(installation.home, installation.settings, installation.clock(FIRST))
    assert result.reasons[0].startswith("the marts are not whole: ")
    assert "fct_deals" in result.reasons[0]


def test_another_nights_marts_block(installation: Any, judge: Any) -> None:
    judge(FIRST)
    result = audit(installation.home, installation.settings, installation.clock(SECOND))
    assert "night 2026-05-20, not of 2026-05-21" in result.reasons[0]


def test_settled_values_may_not_jump(judge: Any, installation: Any, database: Any) -> None:
    clock = installation.transform(FIRST)
    publish(installation.home, installation.settings, clock, postgres_url=database.writer)
    assert judge(SECOND, factor=1.2).may_publish
    moved = judge(SECOND, factor=1.5)
    assert "Ad spend of April 2026 from €86,255 to €129,382" in moved.causes[-1]
    assert not any("May 2026" in cause for cause in moved.causes)
    assert judge(SECOND, factor=1.5, accept=True).may_publish
    new_definition = "update marts.fct_kpi_values set definition_version = 2"
    assert judge(SECOND, factor=1.5, edit=new_definition).may_publish
    lost = "delete from marts.fct_kpi_values where kpi_id >= 'F' and period_type = 'day'"
    assert "kpi_values has" in judge(SECOND, edit=lost).reasons[0]


def test_great_expectations_asks_the_marts(installation: Any) -> None:
    def failed(edit: str | None = None, months: tuple[str, ...] | None = None) -> list[str]:
        installation.transform(edit=edit)
        views = published_views(installation.home.dbt_target / "manifest.json")
        few = [view for view in views if view.name in ("deals", "scorecard")]
        with duckdb.connect(str(installation.home.warehouse), read_only=True) as warehouse:
            slices = {
                view.name: warehouse.execute(
                    f"select * from {view.relation} where {within(view, months)}"
                ).to_arrow_table()
                for view in few
            }
        return failed_expectations(
            few, {name: Slice(months, rows) for name, rows in slices.items()}
        )

    key = "period_type, period_start, node_type, node_id"
    assert failed() == []
    assert failed(
        "update marts.fct_scorecard set score = 1.2, band = 'blue' where node_id = 'F01'"
    ) == [
        "scorecard: column_values_to_be_between (score): 8 rows",
        "scorecard: column_values_to_be_in_set (band): 8 rows",
    ]
    twice = (
        "insert into marts.fct_scorecard select * from marts.fct_scorecard where node_id = 'F01'"
    )
    assert failed(f"{twice}; update marts.fct_deals set deal_id = null where deal_id = 'd1'") == [
        "deals: column_values_to_not_be_null (deal_id): 1 rows",
        f"scorecard: compound_columns_to_be_unique ({key}): 16 rows",
    ]
    blue = "update marts.fct_scorecard set band = 'blue' where period_start < '2026-05-01'"
    assert failed(blue, months=("2026-05-01",)) == []
    assert failed(blue, months=("2026-04-01",)) != []
