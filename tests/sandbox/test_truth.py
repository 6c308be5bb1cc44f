"""The truth against companies small enough to count by hand."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boscard.clock import Clock
from boscard.settings import Settings
from sandbox.company import Company
from sandbox.snapshot import COLUMNS, OPTIONAL_TEXT, STAGES, Snapshot
from sandbox.truth import print_truth, truth
from sandbox.truth_crm import live_deals, open_qualified
from sandbox.truth_rows import COLUMNS as TRUTH_COLUMNS

BERLIN = ZoneInfo("Europe/Berlin")
START = date(2026, 1, 1)
NIGHT = Clock(date(2026, 6, 30), BERLIN, 7)
Row = dict[str, Any]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def snapshot(now: datetime = NIGHT.now, start: date = START, **rows: list[Row]) -> Snapshot:
    """A company of these rows and no others; what a row leaves out is missing or zero."""
    frames = {}
    for name, columns in COLUMNS.items():
        frame = pd.DataFrame(rows.get(name, []), columns=list(columns), dtype=object)
        for column in columns:
            frame[column] = _typed(name, column, frame[column])
        frames[name] = frame
    return Snapshot(now=now, start=start, time_zone=BERLIN, **frames)


def _typed(name: str, column: str, values: pd.Series) -> pd.Series:
    if column.endswith("_at") or column == "at":
        return pd.to_datetime(values, utc=True).dt.as_unit("us")
    if column in ("date", "start_date"):
        return pd.to_datetime(values).dt.as_unit("s")
    if column in ("impressions", "clicks", "cost_micros"):
        return values.fillna(0).astype("int64")
    if column in ("conversions", "conversions_value"):
        return values.fillna(0).astype("float64")
    if column.startswith("is_"):
        return values.fillna(False).astype(bool)
    if column == "score":
        return values.astype("Int64")
    if column in OPTIONAL_TEXT.get(name, ()):
        return values.where(values.notna(), None)
    return values.fillna("").astype("str")


ACCOUNTS = [
    {"account_id": "1", "currency_code": "EUR"},
    {"account_id": "2", "currency_code": "USD"},
]
CAMPAIGNS = [
    {"account_id": "1", "campaign_id": "11", "channel_type": "SEARCH", "is_listed": True},
    {"account_id": "1", "campaign_id": "12", "channel_type": "PERFORMANCE_MAX"},
    {"account_id": "2", "campaign_id": "21", "channel_type": "SEARCH", "is_listed": True},
]
FORMS = [
    {"form_id": "N", "kind": "nps"},
    {"form_id": "C", "kind": "csat"},
    {"form_id": "P", "kind": "pulse"},
]


_LAST: list[tuple[Snapshot, Clock, pd.DataFrame]] = []


def truth_of(known: Snapshot, clock: Clock) -> pd.DataFrame:
    """The truth, kept for the next question about the same company."""
    if not _LAST or _LAST[0][0] is not known or _LAST[0][1] != clock:
        _LAST[:] = [(known, clock, truth(known, clock))]
    return _LAST[0][2]


def counted(
    known: Snapshot, component: str, segment_type: str = "company", clock: Clock = NIGHT
) -> dict[tuple[str, str], Any]:
    """The values of one component by (day, segment)."""
    rows = truth_of(known, clock)
    rows = rows[(rows["kpi_component"] == component) & (rows["segment_type"] == segment_type)]
    keys = zip(rows["date"].dt.strftime("%Y-%m-%d"), rows["segment"], strict=True)
    return dict(zip(keys, rows["value"], strict=True))


def total(known: Snapshot, component: str, **options: Any) -> Any:
    return sum(counted(known, component, **options).values())


def contact(number: int, **values: Any) -> Row:
    created = values.pop("created_at", utc("2026-03-01 12:00"))
    return {"contact_id": str(number), "created_at": created, **values}


def deal(number: int, stage: str = "closedwon", **values: Any) -> Row:
    return {
        "deal_id": str(number),
        "created_at": utc("2026-03-01 12:00"),
        "stage_id": stage,
        "amount": "100.00",
        "currency_code": "EUR",
        "close_at": utc("2026-03-11 12:00"),
    } | values


# --- ads


def campaign_row(campaign: str, day: str, **values: Any) -> Row:
    account = next(row["account_id"] for row in CAMPAIGNS if row["campaign_id"] == campaign)
    return {"account_id": account, "campaign_id": campaign, "date": day, **values}


def ad_company() -> Snapshot:
    return snapshot(
        ad_accounts=ACCOUNTS,
        campaigns=CAMPAIGNS,
        campaign_daily=[
            campaign_row("11", "2026-03-01", clicks=3, cost_micros=1_230_000, conversions=0.1),
            campaign_row("12", "2026-03-01", clicks=4, cost_micros=10_000, conversions=0.2),
            campaign_row("21", "2026-03-01", clicks=5, cost_micros=7, conversions_value=9.99),
            campaign_row("11", "2026-07-01", clicks=100, cost_micros=10**9),
        ],
    )


def test_spend_is_kept_by_account_in_its_own_currency() -> None:
    rows = truth(ad_company(), NIGHT)
    rows = rows[(rows["kpi_component"] == "spend_micros") & (rows["segment_type"] == "company")]
    found = rows[["account_id", "currency_code", "value"]].to_numpy().tolist()
    assert found == [["1", "EUR", 1_240_000], ["2", "USD", 7]]


def test_ads_count_by_channel_and_campaign_deleted_ones_too() -> None:
    day = "2026-03-01"
    assert counted(ad_company(), "clicks", "channel") == {
        (day, "search"): 5,  # of the last account: both accounts have one
        (day, "performance_max"): 4,
    }
    assert counted(ad_company(), "clicks", "campaign") == {
        (day, "11"): 3,
        (day, "12"): 4,
        (day, "21"): 5,
    }


def test_fractions_of_conversions_add_up_exactly() -> None:
    value = counted(ad_company(), "conversions")[("2026-03-01", "")]
    assert value in (Decimal("0.300"), Decimal("0.000"))
    rows = truth(ad_company(), NIGHT).query("kpi_component == 'conversions'")
    assert rows[rows["segment_type"] == "company"]["value"].sum() == Decimal("0.3")
    assert isinstance(rows["value"].iloc[0], Decimal)


def test_days_after_the_night_do_not_count() -> None:
    assert total(ad_company(), "clicks", segment_type="campaign") == 12


# --- leads


@pytest.mark.parametrize(
    ("source", "campaign", "channel", "is_paid"),
    [
        ("PAID_SEARCH", "11", "search", True),
        ("PAID_SEARCH", "12", "performance_max", True),
        ("PAID_SEARCH", None, "unknown", True),
        ("PAID_SEARCH", "999", "unknown", True),
        ("PAID_SOCIAL", "meta_retargeting", "unknown", True),
        ("ORGANIC_SEARCH", None, "organic", False),
        ("DIRECT_TRAFFIC", None, "direct", False),
        ("DIRECT_TRAFFIC", "11", "search", False),
        ("EMAIL_MARKETING", "newsletter_04", "email", False),
        ("REFERRALS", None, "referral", False),
        ("SOCIAL_MEDIA", None, "social", False),
        ("OFFLINE", None, "offline", False),
        ("OTHER_CAMPAIGNS", None, "unknown", False),
        (None, None, "unknown", False),
    ],
)
def test_channel_of_a_lead(
    source: str | None, campaign: str | None, channel: str, is_paid: bool
) -> None:
    known = snapshot(
        campaigns=CAMPAIGNS,
        contacts=[contact(1, analytics_source=source, utm_campaign=campaign)],
    )
    assert counted(known, "leads", "channel") == {("2026-03-01", channel): 1}
    assert total(known, "paid_leads") == int(is_paid)


def test_archived_merged_and_deleted_contacts_are_no_leads() -> None:
    known = snapshot(
        contacts=[
            contact(1),
            contact(2, archived_at=utc("2026-06-01 08:00")),
            contact(3, gone_at=utc("2026-06-01 08:00")),
            contact(4, merged_ids="2"),
        ]
    )
    assert counted(known, "leads") == {("2026-03-01", ""): 2}


@pytest.mark.parametrize(
    ("created", "day"),
    [
        ("2026-01-31 22:59:59", "2026-01-31"),
        ("2026-01-31 23:00:00", "2026-02-01"),
        ("2026-06-10 21:59:59", "2026-06-10"),
        ("2026-06-10 22:00:00", "2026-06-11"),
    ],
    ids=["winter, before midnight", "winter, midnight", "summer, before", "summer, midnight"],
)
def test_a_lead_is_dated_in_the_time_zone_of_the_business(created: str, day: str) -> None:
    known = snapshot(contacts=[contact(1, created_at=utc(created))])
    assert counted(known, "leads") == {(day, ""): 1}


MQL = utc("2026-02-01 10:00:00")
EDGE = MQL + timedelta(hours=90 * 24)


@pytest.mark.parametrize(
    ("reached", "passes"),
    [
        ({}, False),
        ({"sql_at": MQL}, True),
        ({"sql_at": EDGE}, True),
        ({"sql_at": EDGE + timedelta(seconds=1)}, False),
        ({"opportunity_at": MQL + timedelta(days=3)}, True),
        ({"customer_at": MQL + timedelta(days=3)}, True),
        ({"sql_at": EDGE + timedelta(days=9), "customer_at": MQL + timedelta(days=2)}, True),
        ({"sql_at": MQL - timedelta(days=2)}, True),
    ],
    ids=[
        *("never", "at once", "the ninetieth day", "a second late", "stage skipped"),
        *("straight to customer", "an earlier stage entered late", "before it was qualified"),
    ],
)
def test_who_passes_from_marketing_to_sales(reached: Row, passes: bool) -> None:
    """Ninety days are 90 × 24 hours, across the change to summer time as well."""
    known = snapshot(contacts=[contact(1, mql_at=MQL, **reached)])
    assert counted(known, "mql_cohort") == {("2026-02-01", ""): 1}
    assert total(known, "mql_passed") == int(passes)


def test_what_is_not_qualified_is_in_no_cohort() -> None:
    known = snapshot(contacts=[contact(1, sql_at=MQL)])
    assert total(known, "mql_cohort") == total(known, "mql_passed") == 0


# --- deals


def test_won_amounts_are_exact_and_by_currency() -> None:
    known = snapshot(
        deals=[
            deal(1, amount="0.10"),
            deal(2, amount="0.20"),
            deal(3, amount="5.00", currency_code="USD"),
            deal(4, amount=None),
            deal(5, stage="closedlost"),
            deal(6, stage="contractsent"),
            deal(7, archived_at=utc("2026-06-29 08:00")),
        ]
    )
    rows = truth(known, NIGHT).query("kpi_component == 'won_amount'")
    assert dict(zip(rows["currency_code"], rows["value"], strict=True)) == {
        "EUR": Decimal("0.30"),
        "USD": Decimal("5.00"),
    }
    assert total(known, "won_deals") == 4
    assert total(known, "lost_deals") == 1


def test_days_of_a_won_deal_are_calendar_days_of_the_business() -> None:
    known = snapshot(
        deals=[
            deal(1, created_at=utc("2026-03-01 22:30"), close_at=utc("2026-03-01 23:30")),
            deal(2, created_at=utc("2026-03-01 08:00"), close_at=utc("2026-03-01 17:00")),
            deal(3, created_at=utc("2026-03-01 08:00"), close_at=utc("2026-04-01 08:00")),
        ]
    )
    days = counted(known, "won_deal_days", "deal")
    assert days == {("2026-03-02", "1"): 1, ("2026-03-01", "2"): 0, ("2026-04-01", "3"): 31}


def pairs(name: str, *numbers: tuple[int, int]) -> list[Row]:
    return [{"deal_id": str(deal_id), name: str(other)} for deal_id, other in numbers]


def test_a_deal_has_the_channel_of_its_lowest_live_contact() -> None:
    sources = {9: "ORGANIC_SEARCH", 10: "REFERRALS", 8: "OFFLINE", 7: "EMAIL_MARKETING"}
    known = snapshot(
        contacts=[
            *(contact(number, analytics_source=source) for number, source in sources.items()),
            contact(1, archived_at=utc("2026-05-01 08:00"), analytics_source="DIRECT_TRAFFIC"),
        ],
        deals=[deal(number) for number in (1, 2, 3, 4)],
        deal_contacts=pairs("contact_id", (1, 10), (1, 9), (2, 1), (2, 8), (3, 1)),
    )
    assert counted(known, "new_customers", "channel") == {
        ("2026-03-11", "organic"): 1,  # 9 is lower than 10
        ("2026-03-11", "offline"): 1,  # 1 is archived
        ("2026-03-11", "unknown"): 2,  # only an archived contact; none at all
    }


def test_a_company_is_a_new_customer_once() -> None:
    early, late = utc("2026-03-05 12:00"), utc("2026-03-09 12:00")
    known = snapshot(
        contacts=[
            contact(1, analytics_source="REFERRALS"),
            contact(2, analytics_source="OFFLINE"),
        ],
        deals=[
            deal(10, close_at=early),
            deal(9, close_at=early + timedelta(hours=3)),
            deal(11, close_at=late),
            deal(12, close_at=late),
            deal(13, close_at=late),
            deal(8, close_at=utc("2026-02-01 12:00"), archived_at=utc("2026-03-01 12:00")),
            deal(7, stage="closedlost", close_at=utc("2026-02-01 12:00")),
        ],
        deal_companies=pairs(
            "company_id", (10, 100), (9, 100), (11, 100), (12, 99), (12, 100), (8, 100), (7, 100)
        ),
        deal_contacts=pairs("contact_id", (9, 1), (10, 2)),
    )
    assert counted(known, "new_customers") == {
        ("2026-03-05", ""): 1,  # company 100: two deals on one day, number 9 is its first
        ("2026-03-09", ""): 2,  # company 99, and deal 13, which has no company
    }
    assert counted(known, "new_customers", "channel")[("2026-03-05", "referral")] == 1


def stages(number: int, *entered: tuple[str, str]) -> list[Row]:
    history = [
        {"deal_id": str(number), "stage_id": stage, "at": utc(f"{day} 12:00")}
        for stage, day in entered
    ]
    return history[::-1]


FIRST, SECOND, THIRD = STAGES[:3]


@pytest.mark.parametrize(
    ("stage", "close", "history", "first", "last"),
    [
        ("qualifiedtobuy", None, [(FIRST, "03-01"), (SECOND, "03-05")], "03-05", "05-04"),
        ("appointmentscheduled", None, [(FIRST, "03-01")], None, None),
        (
            "presentationscheduled",
            None,
            [(FIRST, "03-01"), (SECOND, "03-05"), (THIRD, "06-20")],
            *("03-05", "05-04"),
        ),
        (
            "closedwon",
            "03-20",
            [(FIRST, "03-01"), (SECOND, "03-05"), ("closedwon", "03-20")],
            *("03-05", "03-19"),
        ),
        (
            "closedlost",
            "03-10",
            [(FIRST, "03-01"), (SECOND, "03-05"), ("closedlost", "03-20")],
            *("03-05", "03-09"),
        ),
        ("closedwon", "03-02", [(FIRST, "03-01"), ("closedwon", "03-02")], None, None),
        ("qualifiedtobuy", "06-29", [(FIRST, "03-01"), (SECOND, "06-29")], "06-29", "06-30"),
    ],
    ids=[
        *("stale after sixty days", "never qualified", "stale and alive again", "until it closes"),
        *("closed late, dated back", "closed without being qualified", "planned to close"),
    ],
)
def test_days_on_which_a_deal_is_open_and_qualified(
    stage: str, close: str | None, history: list[tuple[str, str]], first: str, last: str
) -> None:
    known = snapshot(
        deals=[deal(1, stage=stage, close_at=close and utc(f"2026-{close} 12:00"))],
        deal_stage_history=stages(1, *((name, f"2026-{day}") for name, day in history)),
    )
    days = [day[5:] for (day, _), count in counted(known, "open_qualified_deals").items() if count]
    if first is None:
        assert not days
    elif len(history) == 3 and history[2][0] == THIRD:
        assert (days[0], days[-1]) == (first, "06-30")
        assert "05-04" in days
        assert "05-05" not in days
        assert "06-20" in days
    else:
        assert (days[0], days[-1]) == (first, last)
        assert len(days) == (date.fromisoformat(f"2026-{last}") - _day(first)).days + 1


def _day(month_day: str) -> date:
    return date.fromisoformat(f"2026-{month_day}")


def open_by_the_text(known: Snapshot, end: date) -> int:
    """Counted deal by deal, as the definition reads."""
    count = 0
    for row in known.deals.itertuples():
        history = known.deal_stage_history[known.deal_stage_history["deal_id"] == row.deal_id]
        entered = [
            (stage, at.astimezone(BERLIN).date())
            for stage, at in zip(history["stage_id"], history["at"], strict=True)
        ]
        entered = [(stage, day) for stage, day in entered if day <= end]
        is_closed = row.stage_id.startswith("closed")
        closed = is_closed and row.close_at.astimezone(BERLIN).date() <= end
        qualified = any(stage != FIRST for stage, _ in entered)
        created = row.created_at.astimezone(BERLIN).date() <= end
        if created and not closed and qualified and pd.isna(row.archived_at):
            count += (end - max(day for _, day in entered)).days <= 60
    return count


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(0, 3), st.integers(0, 120)), min_size=1, max_size=4),
            st.sampled_from([None, "closedwon", "closedlost"]),
            st.integers(-20, 20),
            st.booleans(),
        ),
        max_size=4,
    )
)
@settings(max_examples=25, deadline=None)
def test_open_deals_agree_with_the_text(
    drawn: list[tuple[list[tuple[int, int]], str | None, int, bool]],
) -> None:
    begin = utc("2026-01-05 12:00")
    deals, history = [], []
    for number, (moves, final, shift, is_archived) in enumerate(drawn):
        ordered = sorted(moves, key=lambda move: move[1])
        events = [(STAGES[stage], begin + timedelta(days=day)) for stage, day in ordered]
        close = events[-1][1] + timedelta(days=1 + abs(shift))
        if final:
            events.append((final, close))
        deals.append(
            deal(
                number,
                stage=events[-1][0],
                created_at=events[0][1],
                close_at=max(events[0][1], close - timedelta(days=max(0, shift))),
                archived_at=close if is_archived else None,
            )
        )
        history += [
            {"deal_id": str(number), "stage_id": stage, "at": at} for stage, at in events[::-1]
        ]
    known = snapshot(deals=deals, deal_stage_history=history)
    open_deals = open_qualified(known, live_deals(known, {}), NIGHT.as_of_date)
    found = open_deals.set_index("date")["amount"]
    for end in pd.date_range("2026-01-01", "2026-06-30", freq="17D"):
        assert found[end] == open_by_the_text(known, end.date()), end


# --- surveys


def response(token: str, submitted: str | None, score: int | None = None, **values: Any) -> Row:
    at = utc(submitted) if submitted else None
    return {
        "form_id": "N",
        "token": token,
        "response_type": "completed" if at else "partial",
        "landed_at": at or utc("2026-03-01 12:00"),
        "submitted_at": at,
        "score": score,
    } | values


@pytest.mark.parametrize(
    ("score", "kind"),
    [
        *((score, "detractors") for score in (0, 6)),
        *((score, "passives") for score in (7, 8)),
        *((score, "promoters") for score in (9, 10)),
    ],
)
@pytest.mark.parametrize(("form", "survey"), [("N", "nps"), ("P", "pulse")])
def test_promoters_passives_and_detractors(score: int, kind: str, form: str, survey: str) -> None:
    known = snapshot(
        forms=FORMS, responses=[response("a", "2026-03-01 12:00", score, form_id=form)]
    )
    kinds = ("promoters", "passives", "detractors")
    found = {each: total(known, f"{survey}_{each}") for each in kinds}
    assert found == {each: int(each == kind) for each in kinds}


def test_the_last_answer_of_a_person_in_a_month_counts() -> None:
    known = snapshot(
        forms=FORMS,
        responses=[
            response("a", "2026-03-02 12:00", 2, contact_id="1"),
            response("b", "2026-03-20 12:00", 9, contact_id="1"),
            response("c", "2026-03-28 12:00", None, contact_id="1"),  # skipped the question
            response("d", "2026-03-31 22:30", 10, contact_id="1"),  # already April in Berlin
            response("f", "2026-03-05 12:00", 3, contact_id="2"),  # same instant, later token
            response("e", "2026-03-05 12:00", 9, contact_id="2"),
            response("g", "2026-03-06 12:00", 10),
            response("h", "2026-03-06 12:00", 10),  # unknown people each count
        ],
    )
    assert counted(known, "nps_promoters") == {
        ("2026-03-20", ""): 1,
        ("2026-04-01", ""): 1,
        ("2026-03-06", ""): 2,
    }
    assert counted(known, "nps_detractors") == {("2026-03-05", ""): 1}


def test_an_answer_after_the_night_does_not_displace_an_earlier_one() -> None:
    known = snapshot(
        forms=FORMS,
        responses=[
            response("a", "2026-06-20 12:00", 9, contact_id="1"),
            response("b", "2026-06-30 12:00", 0, contact_id="1"),
        ],
    )
    before = Clock(date(2026, 6, 29), BERLIN, 7)
    assert counted(known, "nps_promoters", clock=before) == {("2026-06-20", ""): 1}
    assert counted(known, "nps_detractors") == {("2026-06-30", ""): 1}


def test_satisfaction_counts_every_answer() -> None:
    known = snapshot(
        forms=FORMS,
        responses=[
            response(token, "2026-03-02 12:00", score, form_id="C", contact_id="1")
            for token, score in (("a", 3), ("b", 4), ("c", 5), ("d", None))
        ],
    )
    assert total(known, "csat_satisfied") == 2
    assert total(known, "csat_answers") == 3


def test_completion_counts_a_token_once_on_the_day_it_landed() -> None:
    landed = utc("2026-03-01 12:00")
    known = snapshot(
        forms=FORMS,
        responses=[
            response("a", "2026-03-02 12:00", 9, landed_at=landed),
            response("a", None, landed_at=landed),
            response("b", None, landed_at=landed),
            response("c", None, landed_at=landed, form_id="C"),
            response("d", None, landed_at=landed, response_type="started"),
            response("e", None, landed_at=landed, form_id="P"),
        ],
    )
    assert counted(known, "surveys_started") == {("2026-03-01", ""): 3}
    assert counted(known, "surveys_finished") == {("2026-03-01", ""): 1}


# --- cuts, whole companies, printing


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


def test_names_the_components_when_asked_for_another() -> None:
    with pytest.raises(ValueError, match="no component 'spend'; there are clicks, conversions"):
        print_truth(SETTINGS, date(2025, 10, 20), component="spend", out=io.StringIO())
