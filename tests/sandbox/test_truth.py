"""The truth of whole companies: sources that were not reached, segments, printing."""

from __future__ import annotations

import io
import json
from datetime import date, timedelta

import pandas as pd
import pytest

from boscard.clock import Clock
from boscard.settings import Settings
from sandbox.company import Company
from sandbox.truth import print_truth, truth
from sandbox.truth_rows import COLUMNS as TRUTH_COLUMNS
from tests.sandbox.small_truth import (
    BERLIN,
)


@pytest.fixture(scope="module")
def company() -> Company:
    return Company(scale=0.05)


def night(day: int) -> Clock:
    return Clock(date(2025, 10, 1) + timedelta(days=day), BERLIN, 7)


def of_source(rows: pd.DataFrame, account: str) -> pd.DataFrame:
    return rows[rows["account_id"].str.startswith(account)].reset_index(drop=True)


def test_a_source_that_was_not_reached_is_as_it_was_on_its_last_night(company: Company) -> None:
    last, tonight = night(17), night(19)
    cut = truth(company, tonight, {"google_ads": last.as_of_date})
    ads = "41855501"
    pd.testing.assert_frame_equal(of_source(cut, ads), of_source(truth(company, last), ads))
    assert of_source(cut, "24601001")["date"].max() == pd.Timestamp(tonight.as_of_date)
    whole = truth(company, tonight)
    pd.testing.assert_frame_equal(of_source(cut, "northwind"), of_source(whole, "northwind"))
    same_days = of_source(whole, ads)
    same_days = same_days[same_days["date"] <= pd.Timestamp(last.as_of_date)]
    assert not same_days.reset_index(drop=True).equals(of_source(cut, ads)), "it was restated"


def test_a_source_never_reached_has_no_rows(company: Company) -> None:
    rows = truth(company, night(19), {"typeform": date(2025, 9, 30)})
    assert of_source(rows, "northwind").empty
    assert not of_source(rows, "24601001").empty


def test_segments_add_up_to_the_company(company: Company) -> None:
    rows = truth(company, night(19))
    rows = rows[rows["segment_type"] != "deal"]
    keys = ["kpi_component", "date", "account_id", "currency_code"]
    sums = rows.groupby([*keys, "segment_type"])["value"].sum().unstack()
    for segment_type in ("channel", "campaign"):
        both = sums.dropna(subset=[segment_type])
        assert len(both) > 100
        assert (both["company"] == both[segment_type]).all()


def test_every_component_is_there_and_dated_within_the_night(company: Company) -> None:
    rows = truth(company, night(60))
    assert set(rows["kpi_component"]) == {
        *("spend_micros", "impressions", "clicks", "conversions", "conversions_value"),
        *("leads", "paid_leads", "mql_cohort", "mql_passed"),
        *("won_deals", "lost_deals", "won_amount", "won_deal_amount", "won_deal_days"),
        *("new_customers", "open_qualified_deals"),
        *("nps_promoters", "nps_passives", "nps_detractors", "csat_satisfied", "csat_answers"),
        *("surveys_started", "surveys_finished"),
        *("pulse_promoters", "pulse_passives", "pulse_detractors"),
    }
    assert rows["date"].min() >= pd.Timestamp(company.start)
    assert rows["date"].max() <= pd.Timestamp(night(60).as_of_date)
    assert not rows.duplicated(list(TRUTH_COLUMNS[:-1])).any()


SETTINGS = Settings.model_validate(
    {
        "company": {
            "name": "Northwind Trails",
            "reporting_currency": "EUR",
            "time_zone": "Europe/Berlin",
            "history_start": "2025-10-01",
            "publication_hour": 7,
        },
        "accounts": [
            {
                "source": "typeform",
                "account": "northwind",
                "name": "Surveys",
                "connection": "typeform",
                "time_zone": "Europe/Berlin",
            }
        ],
        "sandbox": {"enabled": True, "scale": 0.05},
    }
)


def test_prints_csv_and_json() -> None:
    as_of = date(2025, 10, 20)
    as_csv, as_json = io.StringIO(), io.StringIO()
    print_truth(SETTINGS, as_of, component="spend_micros", format="csv", out=as_csv)
    print_truth(SETTINGS, as_of, component="spend_micros", format="json", out=as_json)
    lines = as_csv.getvalue().splitlines()
    objects = [json.loads(line) for line in as_json.getvalue().splitlines()]
    assert lines[0] == ",".join(TRUTH_COLUMNS)
    assert [line.split(",") for line in lines[1:]] == [list(row.values()) for row in objects]
    assert objects[0]["date"] == "2025-10-01"
    assert {row["kpi_component"] for row in objects} == {"spend_micros"}


def test_who_was_deleted_for_good_counts_until_the_list_that_tells() -> None:
    def leads(swept: date | None) -> float:
        out = io.StringIO()
        print_truth(SETTINGS, date(2025, 10, 31), "leads", swept, out=out)
        out.seek(0)
        return float(pd.read_csv(out)["value"].sum())

    assert leads(date(2025, 10, 1)) > leads(date(2025, 10, 31)) == leads(None)


def test_names_the_components_when_asked_for_another() -> None:
    with pytest.raises(ValueError, match="no component 'spend'; there are clicks, conversions"):
        print_truth(SETTINGS, date(2025, 10, 20), component="spend", out=io.StringIO())
