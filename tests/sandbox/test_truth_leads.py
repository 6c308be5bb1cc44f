"""The truth of leads and who of them qualifies, row by row."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.sandbox.small_truth import (
    CAMPAIGNS,
    Row,
    contact,
    counted,
    snapshot,
    total,
    utc,
)


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
