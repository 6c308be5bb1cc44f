"""The company is the same on every machine and every night, and lives in between."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sandbox
from boscard.clock import Clock
from sandbox.company import Company
from sandbox.snapshot import COLUMNS, OPTIONAL_TEXT, Snapshot

BERLIN = ZoneInfo("Europe/Berlin")
START = date(2025, 10, 1)
MEASURES = ["impressions", "clicks", "cost_micros", "conversions", "conversions_value"]
REPORTS = {
    "campaign_daily": ["campaign_id", "date"],
    "ad_group_daily": ["ad_group_id", "date"],
    "ad_daily": ["ad_group_id", "ad_id", "date"],
}


def night(day: int) -> datetime:
    """The publication hour after the company's day `day` (0 is the first)."""
    return Clock(START + timedelta(days=day), BERLIN, 7).now


def seen(company: Company, day: int) -> Snapshot:
    return company.at(night(day))


@pytest.fixture(scope="module")
def small() -> Company:
    return Company(scale=0.05)


@pytest.fixture(scope="module")
def grown() -> Company:
    return Company()


def digest(snapshot: Snapshot) -> str:
    sums = [
        int(pd.util.hash_pandas_object(getattr(snapshot, name).astype(str)).sum())
        for name in COLUMNS
    ]
    return repr(sums)


def test_has_the_promised_columns_and_types(small: Company) -> None:
    snapshot = seen(small, 19)
    for name, columns in COLUMNS.items():
        frame = getattr(snapshot, name)
        assert tuple(frame.columns) == columns, name
        assert len(frame), name
        for column in columns:
            kind = str(frame[column].dtype)
            where = f"{name}.{column}"
            if column.endswith("_at") or column == "at":
                assert kind == "datetime64[us, UTC]", where
            elif column in ("date", "start_date"):
                assert kind == "datetime64[s]", where
            elif column in ("impressions", "clicks", "cost_micros", "level"):
                assert kind == "int64", where
            elif column in OPTIONAL_TEXT.get(name, ()):
                assert {type(value) for value in frame[column]} <= {str, type(None)}, where
            elif column.endswith("_id"):
                assert kind == "str", where
                assert frame[column].notna().all(), where


def test_the_same_seed_is_the_same_company(small: Company) -> None:
    again = Company(scale=0.05)
    for name in COLUMNS:
        mine, other = getattr(seen(small, 19), name), getattr(seen(again, 19), name)
        pd.testing.assert_frame_equal(mine, other)


def test_the_same_seed_is_the_same_company_in_another_process(small: Company) -> None:
    program = (
        "import sys; sys.path[:0] = [sys.argv[1], sys.argv[2]]\n"
        "import runpy; tests = runpy.run_path(sys.argv[3])\n"
        "print(tests['digest'](tests['seen'](tests['Company'](scale=0.05), 19)))"
    )
    root = str(Path(sandbox.__file__).parents[1])
    command = [sys.executable, "-c", program, root, str(Path(__file__).parent), __file__]
    other = subprocess.run(command, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == digest(seen(small, 19))


def test_another_seed_is_another_company(small: Company) -> None:
    assert digest(seen(Company(seed=8, scale=0.05), 19)) != digest(seen(small, 19))


@given(day=st.integers(0, 45), ahead=st.integers(1, 60))
@settings(max_examples=12, deadline=None)
def test_what_was_known_does_not_depend_on_how_far_the_company_has_lived(
    day: int, ahead: int
) -> None:
    young, old = Company(scale=0.05), Company(scale=0.05)
    seen(old, day + ahead)
    for name in COLUMNS:
        pd.testing.assert_frame_equal(
            getattr(seen(young, day), name), getattr(seen(old, day), name), obj=name
        )


def test_before_its_first_day_nothing_is_known(small: Company) -> None:
    with pytest.raises(ValueError, match="first day, 2025-10-01"):
        small.at(datetime(2025, 9, 30, 12, tzinfo=BERLIN))


def pairs_of_reports(earlier: Snapshot, later: Snapshot, name: str, until: date) -> pd.DataFrame:
    """Rows of both nights side by side, for days until `until`; absent rows are zero."""
    both = [
        frame[frame["date"] <= pd.Timestamp(until)]
        .set_index(REPORTS[name])[MEASURES]
        .add_suffix(suffix)
        for frame, suffix in ((getattr(earlier, name), "_then"), (getattr(later, name), "_now"))
    ]
    return both[0].join(both[1], how="outer").fillna(0)


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("day", [3, 17, 40])
def test_the_next_night_restates_only_what_a_vendor_restates(
    small: Company, name: str, day: int
) -> None:
    today = START + timedelta(days=day)
    rows = pairs_of_reports(seen(small, day), seen(small, day + 1), name, today)
    assert (rows["impressions_then"] == rows["impressions_now"]).all()
    for measure in ("clicks", "cost_micros"):
        assert (rows[f"{measure}_now"] <= rows[f"{measure}_then"]).all(), measure
    for measure in ("conversions", "conversions_value"):
        assert (rows[f"{measure}_now"] >= rows[f"{measure}_then"]).all(), measure
        assert (rows[f"{measure}_now"] > rows[f"{measure}_then"]).any(), measure


@given(hours=st.tuples(st.integers(20, 1400), st.integers(0, 900)))
@settings(max_examples=15, deadline=None)
def test_conversions_never_fall(small: Company, hours: tuple[int, int]) -> None:
    first = datetime(2025, 10, 1, tzinfo=BERLIN) + timedelta(hours=hours[0])
    earlier, later = small.at(first), small.at(first + timedelta(hours=hours[1]))
    rows = pairs_of_reports(earlier, later, "ad_daily", START + timedelta(days=200))
    assert (rows["conversions_now"] >= rows["conversions_then"]).all()
    assert (rows["conversions_value_now"] >= rows["conversions_value_then"]).all()


def test_a_day_is_final_thirty_days_later(grown: Company) -> None:
    """A pull of the last thirty days each night ends with what the vendor ends with."""
    rows = pairs_of_reports(
        seen(grown, 50), seen(grown, 130), "ad_daily", START + timedelta(days=20)
    )
    for measure in MEASURES:
        assert (rows[f"{measure}_then"] == rows[f"{measure}_now"]).all(), measure
    younger = pairs_of_reports(
        seen(grown, 50), seen(grown, 130), "ad_daily", START + timedelta(days=50)
    )
    assert (younger["conversions_then"] < younger["conversions_now"]).any()


def test_invalid_clicks_are_taken_back_within_three_days(small: Company) -> None:
    late, much_later = seen(small, 33), seen(small, 60)
    final = pairs_of_reports(late, much_later, "ad_daily", START + timedelta(days=30))
    assert (final["clicks_then"] == final["clicks_now"]).all()
    fresh = pairs_of_reports(late, much_later, "ad_daily", START + timedelta(days=33))
    assert (fresh["clicks_then"] > fresh["clicks_now"]).any()


@pytest.mark.parametrize("day", [0, 13, 200])
def test_campaigns_are_the_sum_of_their_ads(grown: Company, day: int) -> None:
    snapshot = seen(grown, day)
    channel = snapshot.campaigns.set_index("campaign_id")["channel_type"]
    keys = ["account_id", "campaign_id", "date"]

    def thousandths(frame: pd.DataFrame) -> pd.DataFrame:
        values = (frame.set_index(keys)[MEASURES] * 1000).round().astype("int64")
        return values.groupby(level=keys).sum()

    campaigns = snapshot.campaign_daily
    is_pmax = campaigns["campaign_id"].map(channel) == "PERFORMANCE_MAX"
    expected = thousandths(campaigns[~is_pmax])
    pd.testing.assert_frame_equal(thousandths(snapshot.ad_daily), expected)
    pd.testing.assert_frame_equal(thousandths(snapshot.ad_group_daily), expected)
    assert is_pmax.any()
    assert not snapshot.ad_daily["campaign_id"].isin(campaigns[is_pmax]["campaign_id"]).any()


@pytest.mark.parametrize("name", REPORTS)
def test_reports_are_sound(grown: Company, name: str) -> None:
    frame = getattr(seen(grown, 399), name)
    assert not frame.duplicated(REPORTS[name]).any()
    assert (frame["clicks"] <= frame["impressions"]).all()
    assert (frame[MEASURES] >= 0).all(axis=None)
    assert (frame[MEASURES] != 0).any(axis=1).all(), "rows of zeros are absent"
    for measure, places in (("conversions", 3), ("conversions_value", 2)):
        assert (frame[measure] == frame[measure].round(places)).all(), measure


def test_reports_end_on_the_accounts_own_day(small: Company) -> None:
    """At 3 in the morning in Berlin it is still yesterday in New York, and today is only begun."""
    early = small.at(datetime(2025, 10, 12, 3, tzinfo=BERLIN)).campaign_daily
    last = early.groupby("account_id")["date"].max()
    assert last["4185550101"] == pd.Timestamp("2025-10-12")
    assert last["4185550102"] == pd.Timestamp("2025-10-11")
    whole = seen(small, 14).campaign_daily
    for account, day in last.items():
        begun, done = (
            frame[(frame["account_id"] == account) & (frame["date"] == day)]["impressions"].sum()
            for frame in (early, whole)
        )
        assert 0 < begun < done


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        ("ad_daily", 250_000),
        ("contacts", 20_000),
        ("deals", 3_000),
        ("answers", 4_000),
        ("campaigns", 60),
    ],
)
def test_volumes_of_400_days(grown: Company, volume: str, expected: int) -> None:
    snapshot = seen(grown, 399)
    if volume == "answers":
        count = (snapshot.responses["response_type"] == "completed").sum()
    else:
        count = len(getattr(snapshot, volume))
    assert count == pytest.approx(expected, rel=0.1)


def test_both_currencies_zones_and_a_manager(grown: Company) -> None:
    accounts = seen(grown, 399).ad_accounts
    clients = accounts[~accounts["is_manager"]]
    assert list(accounts[accounts["is_manager"]]["level"]) == [0]
    assert set(zip(clients["currency_code"], clients["time_zone"], strict=True)) == {
        ("EUR", "Europe/Berlin"),
        ("USD", "America/New_York"),
    }
    assert set(seen(grown, 399).deals["currency_code"]) == {"EUR", "USD"}


def test_campaigns_are_launched_over_the_year(grown: Company) -> None:
    starts = seen(grown, 399).campaigns["start_date"]
    months = starts.dt.to_period("M")
    assert (starts > pd.Timestamp(START)).sum() >= 20
    assert months.nunique() >= 11


def test_demand_has_seasons_and_weekdays(grown: Company) -> None:
    clicks = seen(grown, 399).campaign_daily.groupby("date")["clicks"].sum()
    weekday = clicks.groupby(clicks.index.day_of_week).mean()
    assert weekday[1] > 1.3 * weekday[5]
    per_day = clicks.groupby(clicks.index.to_period("M")).mean()
    assert per_day["2026-07"] > 1.2 * per_day["2026-01"]


def test_ids_grow_with_creation(grown: Company) -> None:
    snapshot = seen(grown, 399)
    for name, key in (
        ("contacts", "contact_id"),
        ("companies", "company_id"),
        ("deals", "deal_id"),
    ):
        frame = getattr(snapshot, name)
        ids = frame[key].astype("int64")
        assert ids.is_monotonic_increasing, name
        assert ids.is_unique, name
        assert frame["created_at"].is_monotonic_increasing, name
        assert frame[key].str.len().nunique() > 1, "as text the ids sort otherwise"


def test_paid_leads_come_from_clicks_of_their_campaign(grown: Company) -> None:
    snapshot = seen(grown, 399)
    contacts = snapshot.contacts
    paid = contacts[
        (contacts["analytics_source"] == "PAID_SEARCH") & contacts["utm_campaign"].notna()
    ]
    assert paid["utm_campaign"].isin(snapshot.campaigns["campaign_id"]).all()
    assert paid["google_click_id"].notna().mean() > 0.9
    leads = paid.groupby("utm_campaign").size()
    clicks = snapshot.campaign_daily.groupby("campaign_id")["clicks"].sum()
    conversions = snapshot.campaign_daily.groupby("campaign_id")["conversions"].sum()
    both = pd.DataFrame({"leads": leads, "clicks": clicks, "conversions": conversions}).dropna()
    assert (both["leads"] < both["clicks"]).all()
    assert both["leads"].corr(both["conversions"]) > 0.9


CHANGING = {"contacts": "contact_id", "companies": "company_id", "deals": "deal_id"}


@pytest.mark.parametrize("name", CHANGING)
@pytest.mark.parametrize(
    "day", [12, 26, 47], ids=["a Tuesday", "a Tuesday at new time", "a Tuesday in November"]
)
def test_a_record_that_changed_says_so(name: str, day: int) -> None:
    """`updated_at` moves with every visible change, else nobody could pull changes."""
    company = Company(scale=1)
    earlier, later = seen(company, day), seen(company, day + 1)
    key = CHANGING[name]
    then = getattr(earlier, name).set_index(key).drop(columns="gone_at", errors="ignore")
    now = getattr(later, name).set_index(key).drop(columns="gone_at", errors="ignore")
    assert then.index.isin(now.index).all(), "a record never loses its id"
    now = now.loc[then.index]
    same = (then == now) | (then.isna() & now.isna())
    changed = ~same.drop(columns="updated_at").all(axis=1)
    assert changed.any()
    assert (now["updated_at"][changed] > pd.Timestamp(earlier.now)).all()
    assert (now["updated_at"] <= pd.Timestamp(later.now)).all()
    assert (now["updated_at"] >= now["created_at"]).all()
    entered = earlier.deal_stage_history.merge(later.deal_stage_history, how="left", indicator=True)
    assert (entered["_merge"] == "both").all(), "stage history is only added to"


def test_nothing_is_dated_after_now(grown: Company) -> None:
    snapshot = seen(grown, 399)
    for name in COLUMNS:
        frame = getattr(snapshot, name)
        for column in frame.columns:
            if column.endswith("_at") and (name, column) != ("deals", "close_at"):
                assert not (frame[column] > pd.Timestamp(snapshot.now)).any(), f"{name}.{column}"
    closed = snapshot.deals["stage_id"].str.startswith("closed")
    assert (snapshot.deals["close_at"][closed] <= pd.Timestamp(snapshot.now)).all()


def test_history_is_newest_first_and_ends_with_the_stage_of_the_deal(grown: Company) -> None:
    snapshot = seen(grown, 399)
    history = snapshot.deal_stage_history
    assert (history.groupby("deal_id")["at"].diff().dropna() < pd.Timedelta(0)).all()
    newest = history.drop_duplicates("deal_id").set_index("deal_id")["stage_id"]
    deals = snapshot.deals.set_index("deal_id")["stage_id"]
    pd.testing.assert_series_equal(newest, deals, check_names=False, check_like=True)


def test_associations_name_records_that_are_known(grown: Company) -> None:
    snapshot = seen(grown, 399)
    contacts = snapshot.contacts
    gone = contacts[contacts["gone_at"].notna()]["contact_id"]
    merged = [name for ids in contacts["merged_ids"].dropna() for name in ids.split(";")]
    linked = snapshot.deal_contacts["contact_id"]
    assert linked.isin(contacts["contact_id"]).all()
    assert not linked.isin(gone).any()
    assert not linked.isin(merged).any(), "the winner of a merge takes the loser's place"
    assert snapshot.deal_companies["company_id"].isin(snapshot.companies["company_id"]).all()
    assert snapshot.deal_contacts["deal_id"].isin(snapshot.deals["deal_id"]).all()


def test_each_customer_was_won_or_brought_over(grown: Company) -> None:
    snapshot = seen(grown, 399)
    won = snapshot.deals[snapshot.deals["stage_id"] == "closedwon"]
    assert won["amount"].notna().all()
    customers = snapshot.contacts[snapshot.contacts["customer_at"].notna()]
    bought = customers[customers["analytics_source"] != "OFFLINE"]
    assert len(bought) > 300
    assert (bought["customer_at"] >= bought["created_at"]).all()


def test_nobody_is_halfway_through_a_survey_at_the_publication_hour(grown: Company) -> None:
    """Between midnight and seven nothing is submitted, so a day's answers are whole at seven."""
    responses = seen(grown, 399).responses
    hour = responses["submitted_at"].dropna().dt.tz_convert(BERLIN).dt.hour
    assert ((hour >= 7) & (hour <= 23)).all()
    waited = responses["visible_at"] - responses["submitted_at"]
    assert waited.max() <= pd.Timedelta(days=2)
    assert (waited > pd.Timedelta(hours=12)).any(), "a late arrival"


def test_the_pulse_is_quarterly_and_anonymous(grown: Company) -> None:
    pulse = seen(grown, 399).responses.query("form_id == 'PulseTm1'")
    per_quarter = pulse.groupby(pulse["landed_at"].dt.tz_localize(None).dt.to_period("Q")).size()
    assert len(per_quarter) == 5
    assert per_quarter.between(5, 14).all()
    assert pulse["contact_id"].isna().all()


def test_numbers_are_whole_where_they_count(grown: Company) -> None:
    daily = seen(grown, 399).ad_daily
    assert (daily["cost_micros"] % 10_000 == 0).all(), "vendors charge whole cents"
    assert np.issubdtype(daily["conversions"].dtype, np.floating)
    assert (daily["conversions"] % 1 != 0).any(), "attribution is fractional"
