"""Every number published in four nights is the company's own truth, to the row."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from boscard.targets import SEED, dry_run
from tests.end_to_end.conftest import Left
from tests.end_to_end.expected import SOURCES, differences
from tests.end_to_end.nights import Installation

NIGHTS = ("first", "second", "third", "fourth")
OF_HUBSPOT = {kpi for kpi, sources in SOURCES.items() if "hubspot" in sources}


@pytest.fixture(params=NIGHTS)
def left(request: pytest.FixtureRequest) -> Left:
    night: Left = request.getfixturevalue(request.param)
    return night


def test_every_published_value_is_the_truth(left: Left) -> None:
    found = differences(left.views["kpi_values"], left.expected)
    assert found == [], f"{len(found)} differences"


def test_spend_is_exact_before_exchange_rates(left: Left) -> None:
    rows = left.views["ad_performance_daily"]
    days = rows["report_date"].dt.date
    keys = [days, rows["account_id"], rows["campaign_id"], rows["currency_code"]]
    micros = (rows["spend_local"] * 1_000_000).round().astype("int64").groupby(keys).sum()
    assert micros[micros > 0].to_dict() == {
        key: value for key, value in _campaigns(left.truth, "spend_micros").items() if value
    }


@pytest.mark.parametrize("column", ["impressions", "clicks"])
def test_counts_of_each_campaign_day_are_exact(left: Left, column: str) -> None:
    rows = left.views["ad_performance_daily"]
    days = rows["report_date"].dt.date
    counts = rows.groupby([days, rows["account_id"], rows["campaign_id"]])[column].sum()
    truth = {key[:3]: value for key, value in _campaigns(left.truth, column).items()}
    assert counts.to_dict() == truth


def test_each_won_deal_has_its_exact_amount_and_currency(left: Left) -> None:
    deals = left.views["deals"]
    through = pd.Timestamp(left.cuts.get("hubspot", left.day))
    won = deals[deals["is_won"] & (deals["close_date"] <= through) & deals["amount_local"].notna()]
    cents = (won["amount_local"] * 100).round().astype("int64")
    published = dict(
        zip(won["deal_id"], zip(cents, won["currency_code"], strict=True), strict=True)
    )
    truth = left.truth[left.truth["kpi_component"] == "won_deal_amount"]
    assert published == {
        row.segment: (int(row.value * 100), row.currency_code) for row in truth.itertuples()
    }
    assert {currency for _, currency in published.values()} == {"EUR", "USD"}


def test_every_kpi_has_values_to_compare(left: Left) -> None:
    known = left.expected["value"].notna()
    assert set(left.expected[known].index.get_level_values("kpi_id")) == set(SOURCES)


def test_the_vendors_restated_days_that_were_published_before(first: Left, second: Left) -> None:
    days = [
        night.expected.query("kpi_id == 'P04' and period_type == 'day' and segment == 'company'")
        for night in (first, second)
    ]
    before, after = (frame["numerator"].droplevel("period_type") for frame in days)
    changed = before != after.reindex(before.index)
    assert changed.sum() >= 3
    assert second.publication.record.restated_values > 0


def test_a_dead_vendor_makes_its_kpis_stale_and_no_other(third: Left) -> None:
    values = third.views["kpi_values"]
    running = values[values["period_end"] >= pd.Timestamp(third.day)]
    stale = set(running.loc[running["dq_state"] == "stale", "kpi_id"])
    assert stale == OF_HUBSPOT
    assert set(running.loc[running["dq_state"] != "stale", "kpi_id"]) == set(SOURCES) - OF_HUBSPOT
    over = values[values["period_end"] < pd.Timestamp(third.day)]
    assert "stale" not in set(over["dq_state"])


def test_data_through_says_how_far_each_kpi_goes(left: Left) -> None:
    values = left.views["kpi_values"]
    for kpi, sources in SOURCES.items():
        through = min([left.day, *(left.cuts.get(source, left.day) for source in sources)])
        rows = values[values["kpi_id"] == kpi]
        expected = rows["period_end"].clip(upper=pd.Timestamp(through))
        assert rows["data_through"].tolist() == expected.tolist(), kpi


def test_only_the_dead_vendor_is_complained_about(third: Left) -> None:
    assert list(third.errors) == ["hubspot"]
    assert third.complaints
    assert all(line.startswith("HubSpot: ") for line in third.complaints)
    assert "Next step" in third.complaints[0]


@pytest.mark.parametrize("name", ["first", "second", "fourth"])
def test_a_sound_night_complains_about_nothing(name: str, request: pytest.FixtureRequest) -> None:
    assert request.getfixturevalue(name).complaints == []


def test_a_cohort_has_a_score_when_it_has_had_its_days(left: Left) -> None:
    values = left.views["kpi_values"].query("kpi_id == 'P05' and segment == 'company'")
    asked = values[values["target"].notna() & values["value"].notna()]
    is_old = asked["period_end"] + pd.Timedelta(days=90) <= pd.Timestamp(
        left.cuts.get("hubspot", left.day)
    )
    assert asked["score"].notna().tolist() == is_old.tolist()
    assert set(asked.loc[~is_old, "band"]) == {"not scored"}
    assert is_old.nunique() == 2


def test_the_scorecard_has_the_newest_cohort_that_was_mature_by_its_end(left: Left) -> None:
    """July's cohort is mature on 29 October; before, and for a quarter, none is."""
    rows = left.views["scorecard"].query("node_id == 'P05'").set_index("period_start")
    months = rows[rows["period_type"] == "month"]
    july = left.expected.loc[("P05", "month", date(2026, 7, 1), "company", "company"), "value"]
    late = months[months.index >= "2026-10-01"]
    assert late["value"].tolist() == [july] * len(late)
    assert set(late["value_period_start"]) == {pd.Timestamp("2026-07-01")}
    early = rows.drop(late.index)
    assert (early["value_period_start"] == early.index).all()
    assert early["score"].isna().all()
    assert set(early["band"]) == {"not scored"}
    assert late["score"].notna().all()


def test_an_objective_misses_the_weight_of_what_is_not_scored(first: Left) -> None:
    rows = first.views["scorecard"].query("period_type == 'month'")
    objective = rows[rows["node_id"] == "turn_interest_to_sales"].set_index("period_start")
    assert objective.loc["2026-09-01", "coverage"] == pytest.approx(0.6)
    assert pd.isna(objective.loc["2026-09-01", "score"])
    assert objective.loc["2026-10-01", "coverage"] == 1
    assert not pd.isna(objective.loc["2026-10-01", "score"])


def test_a_customer_with_two_deals_is_one_customer(first: Left) -> None:
    won = first.truth.query("kpi_component == 'won_deals' and segment_type == 'company'")["value"]
    customers = first.truth.query("kpi_component == 'new_customers' and segment_type == 'company'")
    assert sum(customers["value"]) < sum(won)


def test_the_targets_that_hold_change_no_colour(installation: Installation, fourth: Left) -> None:
    """The dry run judges every published value anew, by the same rules in another language."""
    values = fourth.views["kpi_values"]
    assert (values["band"].isin(["green", "amber", "red"])).sum() > 80
    assert dry_run(SEED, installation.home).changes == []


def test_money_is_converted(first: Left) -> None:
    rows = first.views["ad_performance_daily"]
    assert set(rows["currency_code"]) == {"EUR", "USD"}
    assert (rows.loc[rows["currency_code"] == "USD", "fx_rate"] != 1).all()


def test_each_report_date_says_whose_day_it_is(first: Left, installation: Installation) -> None:
    rows = first.views["ad_performance_daily"]
    zones = rows.groupby("account_id")["report_timezone"].agg(set).to_dict()
    assert zones == {
        account.account: {account.time_zone}
        for account in installation.settings.accounts
        if account.source == "google_ads"
    }
    assert len(set.union(*zones.values())) > 1


def _campaigns(truth: pd.DataFrame, component: str) -> dict[tuple[date, str, str, str], int]:
    rows = truth[(truth["kpi_component"] == component) & (truth["segment_type"] == "campaign")]
    return {
        (row.date.date(), row.account_id, row.segment, row.currency_code): int(row.value)
        for row in rows.itertuples()
    }
