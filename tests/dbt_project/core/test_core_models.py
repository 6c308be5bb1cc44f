"""From raw rows to the core marts: the numbers, and what must not get there."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest

from ingest.registry import SOURCES
from warehouse.transform import DBT_PROJECT


def test_every_model_builds_and_every_test_passes(outcomes) -> None:
    wrong = {name: one for name, one in outcomes.items() if one[1] not in ("success", "pass")}
    assert wrong == {}
    kinds = [kind for kind, _ in outcomes.values()]
    assert kinds.count("unit_test") >= 17
    assert kinds.count("test") >= 60


def test_ad_performance_in_both_currencies(query) -> None:
    found = query(
        "select report_date, account_name, campaign_id, campaign_name, channel, clicks,"
        " spend_local, conversions, conversions_value_local"
        " from marts.fct_ad_performance_daily order by report_date, campaign_id"
    )
    zero = Decimal(0)
    assert found == [
        (day(2), "DE", "11", "<script>", "search", 3, Decimal("1.234567"), Decimal("2.345"), zero),
        (day(2), "US", "21", "Campaign 21", "search", 0, Decimal(10), zero, Decimal(10)),
        (day(3), "DE", "11", "<script>", "search", 0, zero, Decimal("0.5"), Decimal("99.99")),
        (day(3), "DE", "12", "Campaign 12", "search", 8, zero, zero, zero),
        (day(20), "US", "21", "Campaign 21", "search", 0, Decimal(20), zero, Decimal(20)),
    ]


def test_cost_and_value_are_converted_at_the_seeds_rate_of_the_day(query) -> None:
    rates = (DBT_PROJECT / "seeds" / "fx_rates.csv").read_text().splitlines()[1:]
    dollars = [line.split(",") for line in rates if line.startswith("USD,EUR")]
    found = query(
        "select report_date, spend, conversions_value, spend_local, fx_rate"
        " from marts.fct_ad_performance_daily where currency_code = 'USD'"
    )
    assert len(found) == 2
    for report_date, spend, value, local, rate in found:
        newest = max(line for line in dollars if line[2] <= report_date.isoformat())
        assert rate == float(newest[3])
        assert spend == value == local * Decimal(newest[3])


def test_leads_are_dated_in_the_business_time_zone(query) -> None:
    sql = "select event_date, channel, is_paid, leads from marts.fct_leads_daily order by all"
    assert query(sql) == [
        (day(3), "search", True, 1),
        (day(4), "referral", False, 1),
    ]


def test_deals_take_the_channel_of_their_first_live_contact(query) -> None:
    found = query(
        "select deal_id, company_id, channel, is_won, cycle_days, amount_local, qualified_date"
        " from marts.fct_deals order by deal_id"
    )
    assert found == [
        ("500", "70", "search", True, 12, Decimal("100.10"), day(15)),
        ("502", None, "unknown", True, 12, Decimal(50), day(15)),
    ]


def test_new_customers(query) -> None:
    sql = "select customer_id, close_date from intermediate.int_crm__new_customers order by 1"
    assert query(sql) == [("company:70", day(15)), ("deal:502", day(15))]


def test_survey_scores_and_an_anonymous_pulse(query) -> None:
    found = query(
        "select survey_kind, promoters, passives, detractors, top_box, respondents, started,"
        " finished from marts.fct_survey_scores order by survey_kind"
    )
    assert found == [
        ("csat", 0, 0, 0, 2, 3, 3, 3),
        ("nps", 2, 2, 2, 0, 6, 7, 6),
        ("pulse", None, None, None, None, None, 2, 2),
    ]


@pytest.mark.parametrize("text", ["ann@example.com", "Lovelace", "Ann"])
def test_no_person_is_named_in_a_mart(query, text) -> None:
    tables = query(
        "select table_name, string_agg('\"' || column_name || '\"', ', ' order by column_index)"
        " from duckdb_columns() where schema_name = 'marts' and data_type = 'VARCHAR'"
        " group by 1 order by 1"
    )
    assert [table for table, _ in tables] == [
        "fct_ad_performance_daily",
        "fct_deals",
        "fct_leads_daily",
        "fct_survey_scores",
    ]
    for table, columns in tables:
        found = query(
            f"select count(*) from marts.{table} where concat_ws(' ', {columns}) like '%{text}%'"
        )
        assert found == [(0,)], table


def test_personal_columns_stop_at_raw(query) -> None:
    personal = {
        column.name
        for source in SOURCES.values()
        for stream in source.streams.values()
        for column in stream.columns
        if column.personal
    }
    assert {"email", "last_name"} <= personal
    further = query(
        "select distinct column_name from duckdb_columns()"
        " where schema_name not in ('raw', 'ops', 'main')"
    )
    assert personal.isdisjoint(name for (name,) in further)


def test_published_models_say_how_and_describe_every_column(home) -> None:
    manifest = json.loads((home.dbt_target / "manifest.json").read_text())
    published = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] != "model" or not node["path"].startswith("marts/core"):
            continue
        meta = node["config"]["meta"]
        published[meta["publish_as"]] = meta["key"]
        assert set(meta["key"]) <= set(node["columns"])
        for column in node["columns"].values():
            assert column["description"], (node["name"], column["name"])
            assert column["data_type"] in (
                *("bigint", "decimal(18,6)", "double"),
                *("date", "timestamptz", "varchar", "boolean"),
            )
    assert sorted(published) == ["ad_performance_daily", "deals", "leads_daily", "survey_scores"]


def day(number: int) -> date:
    return date(2026, 3, number)
