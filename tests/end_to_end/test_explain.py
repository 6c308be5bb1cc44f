"""A value is walked back to the API calls behind it, and a call on to what it feeds."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from io import StringIO

import pandas as pd
import pytest
from rich.console import Console

from boscard.home import PROJECT
from ingest.landing import Landing
from publish.explain import explain
from publish.explanation import Explanation
from publish.feeds import feeds
from publish.lineage import CannotExplainError
from publish.period import parse_period, period_of
from publish.trees import explained, fed, to_json
from tests.end_to_end.conftest import Left
from tests.end_to_end.nights import Installation

ABOUT_RUNS = {"L07"}
SEGMENTS = ("company", "search")
Walk = Callable[..., Explanation]


@pytest.fixture
def walk(installation: Installation, second: Left) -> Walk:
    def walk(kpi: str, period: str, segment: str = "company") -> Explanation:
        home, settings = installation.home, installation.settings
        return explain(home, settings, kpi, parse_period(period), segment)

    return walk


def measured(found: Explanation, measure: str) -> Decimal:
    return sum((stream.sums[measure] for stream in found.streams), Decimal(0))


@pytest.mark.parametrize("segment", SEGMENTS)
@pytest.mark.parametrize("period", ["2026-10-20", "2026-W43", "2026-10", "2026-Q4"])
def test_days_and_raw_rows_add_up_to_the_value(walk: Walk, period: str, segment: str) -> None:
    found = walk("P01", period, segment)
    value = found.value
    assert found.note is None
    assert value.numerator is not None
    assert measured(found, "clicks") == value.numerator > 0
    assert measured(found, "impressions") == value.denominator
    assert sum(day.numerator or 0 for day in found.days) == value.numerator
    assert {stream.account for stream in found.streams} == {"4185550101", "4185550102"}


def test_rows_and_sums_are_the_same_at_each_step(walk: Walk) -> None:
    for stream in walk("F05", "2026-10").streams:
        assert stream.rows == sum(batch.rows for batch in stream.batches) > 0
        for batch in stream.batches:
            assert batch.rows == sum(call.rows_here for call in batch.calls)
            assert all(0 < call.rows_here <= call.rows for call in batch.calls)


def test_each_call_is_the_one_in_landing(walk: Walk, installation: Installation) -> None:
    landing = Landing(installation.home.landing)
    known = {
        call.call_id: (call.method, call.url, call.status, call.sha256)
        for batch in landing.batches()
        for call in landing.read_calls(batch)
    }
    calls = [
        call
        for kpi in ("F08", "C05", "P08")
        for stream in walk(kpi, "2026-10").streams
        for batch in stream.batches
        for call in batch.calls
    ]
    assert len(calls) > 10
    for call in calls:
        assert (call.method, call.url, call.status, call.sha256) == known[call.call_id]


def test_spend_counts_thirty_days_later_for_what_a_customer_costs(walk: Walk) -> None:
    found = walk("F08", "2026-10-20")
    spend = next(stream for stream in found.streams if stream.source == "google_ads")
    assert str(spend.first_day) == str(spend.last_day) == "2026-09-20"


@pytest.mark.parametrize(
    ("kpi", "above", "below", "parameters"),
    [
        (
            "P05",
            "Marketing qualified leads of the cohort that sales accepted within 90 days",
            "All marketing qualified leads of the cohort",
            [
                "Days within which a marketing qualified lead must pass: 90",
                "Smallest cohort for full confidence: 30",
            ],
        ),
        ("F01", "Ad spend in the reporting currency", None, []),
    ],
)
def test_a_value_comes_with_its_definition(
    walk: Walk, kpi: str, above: str, below: str | None, parameters: list[str]
) -> None:
    definition = walk(kpi, "2026-10").definition
    assert (definition.version, definition.above, definition.below) == (1, above, below)
    assert definition.parameters == parameters


def test_a_period_is_explained_by_the_version_that_held(walk: Walk) -> None:
    assert walk("P01", "2026-10").definition.version == 2


def test_a_kpi_about_our_own_runs_leads_to_their_checks(walk: Walk) -> None:
    found = walk("L07", "2026-10-31")
    assert found.value.value == pytest.approx(100)
    evaluated, passed = (measured(found, f"checks_{name}") for name in ("evaluated", "passed"))
    assert passed == evaluated > 100
    assert all(batch.calls for stream in found.streams for batch in stream.batches)


def test_hidden_answers_stay_hidden(walk: Walk, second: Left) -> None:
    values = second.views["kpi_values"]
    hidden = values[values["no_data_reason"] == "suppressed"]
    assert set(hidden["kpi_id"]) == {"L05"}
    for _, row in hidden.groupby("period_type").head(3).iterrows():
        period = period_of(pd.Timestamp(row["period_start"]).date(), row["period_type"])
        found = walk("L05", period.name)
        assert found.value.no_data_reason == "suppressed"
        assert (found.days, found.streams) == ([], [])
    assert walk("L05", "2026-Q4").days == []


def test_the_way_on_from_a_call_meets_the_way_back(walk: Walk, installation: Installation) -> None:
    for kpi, period in (
        ("P01", "2026-W43"),
        ("F08", "2026-10"),
        ("C02", "2026-10"),
        ("L07", "2026-Q4"),
    ):
        calls = [
            call.call_id
            for stream in walk(kpi, period).streams
            for batch in stream.batches
            for call in batch.calls
        ]
        assert calls
        for call_id in calls[:5]:
            found = feeds(installation.home, installation.settings, call_id)
            reached = next(each for each in found.kpis if each.kpi_id == kpi)
            assert reached.periods is None or period in {
                name for names in reached.periods.values() for name in names
            }


PERIODS = ("2026-08", "2026-09", "2026-10", "2026-Q3", "2026-Q4", "2026-W36", "2026-W43")


@pytest.mark.parametrize("kpi", ["P01", "F08", "C02"])
def test_a_call_feeds_the_periods_that_lead_back_to_it_and_no_other(
    walk: Walk, installation: Installation, kpi: str
) -> None:
    led: dict[str, set[str]] = {}
    for period in PERIODS:
        for stream in walk(kpi, period).streams:
            for batch in stream.batches:
                for call in batch.calls:
                    led.setdefault(call.call_id, set()).add(period)
    assert set().union(*led.values()) == set(PERIODS)
    partial = [call_id for call_id, periods in led.items() if periods != set(PERIODS)]
    for call_id in [*partial[:4], *list(led)[:2]]:
        fed = feeds(installation.home, installation.settings, call_id)
        [reached] = [each for each in fed.kpis if each.kpi_id == kpi]
        told = {name for names in (reached.periods or {}).values() for name in names}
        assert told & set(PERIODS) == led[call_id]


def test_a_call_feeds_the_kpis_of_its_own_stream_and_no_other(
    installation: Installation, second: Left
) -> None:
    sources = pd.read_csv(PROJECT / "dbt_project/seeds/kpi_sources.csv")
    landing, streams = Landing(installation.home.landing), set()
    for batch in landing.batches():
        stream = (batch.manifest.source, batch.manifest.stream)
        if stream in streams or not batch.manifest.rows:
            continue
        call = next(call for call in landing.read_calls(batch) if call.rows)
        found = feeds(installation.home, installation.settings, call.call_id)
        if not found.rows_standing:
            continue
        streams.add(stream)
        wanted = sources[(sources["source"] == stream[0]) & (sources["stream"] == stream[1])]
        told = {each.kpi_id for each in found.kpis}
        assert told - ABOUT_RUNS == set(wanted["kpi_id"]), stream
    assert len(streams) > 8


def test_a_call_that_newer_batches_replaced_feeds_what_still_stands(
    installation: Installation, second: Left
) -> None:
    landing = Landing(installation.home.landing)
    batch, *_ = landing.batches("google_ads", "4185550101", "campaign_daily")
    whole = 0
    for call in landing.read_calls(batch):
        found = feeds(installation.home, installation.settings, call.call_id)
        whole += found.rows - found.rows_standing
        for kpi in found.kpis:
            assert kpi.kpi_id == "L07" or kpi.rows <= found.rows_standing
    assert whole > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("P99", "2026-10"), "KPIs are C01", id="no such KPI"),
        pytest.param(("P01", "2024-10"), "the company's history", id="no such period"),
        pytest.param(("P01", "2026-10", "tv"), "no segment 'tv'", id="no such segment"),
    ],
)
def test_what_is_not_there_cannot_be_explained(
    walk: Walk, arguments: tuple[str, ...], words: str
) -> None:
    with pytest.raises(CannotExplainError, match=words):
        walk(*arguments)


def test_an_unknown_call_is_told(installation: Installation, second: Left) -> None:
    with pytest.raises(CannotExplainError, match="no API call 'x'"):
        feeds(installation.home, installation.settings, "x")


def test_it_is_told_as_a_tree_and_as_json(walk: Walk, installation: Installation) -> None:
    found = walk("P01", "2026-10")
    call = found.streams[0].batches[0].calls[0]
    written = StringIO()
    console = Console(width=200, file=written)
    console.print(explained(found))
    console.print(fed(feeds(installation.home, installation.settings, call.call_id)))
    text = written.getvalue()
    assert "Click-through rate, month 2026-10, company" in text
    assert call.sha256 in text
    assert f"{call.call_id}  {call.method}" in text
    assert "definition 2: clicks over impressions" in text
    assert "provisional: May still change until 3 November 2026" in text
    assert "rests on: All days so far, 2 of 2 accounts and all rows. Its sums are those" in text
    content = json.loads(to_json(found))
    assert content["streams"][0]["batches"][0]["calls"][0]["sha256"] == call.sha256
    assert len(content["days"]) == 31
    assert 0 <= content["value"]["may_move_by"] < 0.01
    assert content["value"]["grounds"]["accounts_expected"] == 2
