"""The truth of deals and customers, row by row."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.snapshot import STAGES, Snapshot
from sandbox.truth import truth
from sandbox.truth_crm import live_deals, open_qualified
from tests.sandbox.small_truth import (
    BERLIN,
    NIGHT,
    Row,
    contact,
    counted,
    deal,
    snapshot,
    total,
    utc,
)


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
