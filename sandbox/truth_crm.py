"""The truth of the CRM: leads, qualification, deals and customers, in days of the business."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

import numpy as np
import pandas as pd

from sandbox.snapshot import CRM_ACCOUNT, STAGES, Snapshot
from sandbox.truth_rows import days_of, exact, midnight, stacked, summed

_CHANNEL_OF_SOURCE: Final = {
    "ORGANIC_SEARCH": "organic",
    "DIRECT_TRAFFIC": "direct",
    "EMAIL_MARKETING": "email",
    "REFERRALS": "referral",
    "SOCIAL_MEDIA": "social",
    "OFFLINE": "offline",
}
_PAID_SOURCES: Final = ("PAID_SEARCH", "PAID_SOCIAL")
_COHORT_HOURS: Final = 90 * 24
_STALE_DAYS: Final = 60


def live_contacts(
    known: Snapshot, campaigns: Mapping[str, str], swept: datetime | None = None
) -> pd.DataFrame:
    """Contacts neither archived, merged away nor deleted for good, with their channel.

    With `swept`, those deleted for good after it still count: nobody can have noticed.
    """
    contacts = known.contacts
    gone = contacts["gone_at"].notna()
    if swept is not None:
        gone &= contacts["gone_at"] <= pd.Timestamp(swept)
    live = contacts[contacts["archived_at"].isna() & ~gone]
    by_campaign = live["utm_campaign"].map(dict(campaigns))
    by_source = live["analytics_source"].map(
        lambda source: _CHANNEL_OF_SOURCE.get(source, "unknown")
    )
    channel = by_campaign.where(by_campaign.notna(), by_source)
    return live.assign(channel=channel, is_paid=live["analytics_source"].isin(_PAID_SOURCES))


def lead_components(
    known: Snapshot, campaigns: Mapping[str, str], through: date, swept: datetime | None = None
) -> pd.DataFrame:
    """Leads and paid leads by day of creation, the qualified and those that passed by cohort."""
    contacts = live_contacts(known, campaigns, swept).assign(amount=1)
    last = midnight(through)
    created = contacts.assign(date=days_of(contacts["created_at"], known.time_zone))
    created = created[created["date"] <= last]
    cohort = contacts[contacts["mql_at"].notna()]
    cohort = cohort.assign(date=days_of(cohort["mql_at"], known.time_zone))
    cohort = cohort[cohort["date"] <= last]
    reached = cohort[["sql_at", "opportunity_at", "customer_at"]].min(axis=1)
    in_time = reached - cohort["mql_at"] <= pd.Timedelta(hours=_COHORT_HOURS)
    passed = cohort[in_time & (reached <= pd.Timestamp(known.now))]
    return stacked(
        [
            summed(rows, component, CRM_ACCOUNT, ("channel",))
            for component, rows in (
                ("leads", created),
                ("paid_leads", created[created["is_paid"]]),
                ("mql_cohort", cohort),
                ("mql_passed", passed),
            )
        ]
    )


def live_deals(known: Snapshot, campaigns: Mapping[str, str]) -> pd.DataFrame:
    """Deals not archived, with days, channel and company.

    The channel is that of the live associated contact with the lowest id, the company the
    associated one with the lowest id; a deal without a company stands for itself.
    """
    deals = known.deals[known.deals["archived_at"].isna()]
    contacts = live_contacts(known, campaigns).set_index("contact_id")["channel"]
    pairs = known.deal_contacts[known.deal_contacts["contact_id"].isin(contacts.index)]
    contact = _lowest(pairs, "contact_id")
    company = deals["deal_id"].map(_lowest(known.deal_companies, "company_id"))
    channel = deals["deal_id"].map(contact).map(contacts)
    return deals.assign(
        created_date=days_of(deals["created_at"], known.time_zone),
        close_date=days_of(deals["close_at"], known.time_zone),
        is_won=deals["stage_id"] == "closedwon",
        is_lost=deals["stage_id"] == "closedlost",
        channel=channel.where(channel.notna(), "unknown"),
        customer=company.where(company.notna(), "deal " + deals["deal_id"]),
    )


def _lowest(pairs: pd.DataFrame, other: str) -> pd.Series:
    """For each deal the associated id that is lowest as a number."""
    ordered = pairs.assign(number=pairs[other].astype("int64")).sort_values("number")
    return ordered.drop_duplicates("deal_id").set_index("deal_id")[other]


def deal_components(known: Snapshot, campaigns: Mapping[str, str], through: date) -> pd.DataFrame:
    """Won and lost deals, new customers, and how many qualified deals were open on each day."""
    deals = live_deals(known, campaigns)
    closed = deals[(deals["is_won"] | deals["is_lost"]) & deals["close_date"].notna()]
    closed = closed.assign(date=closed["close_date"])
    closed = closed[closed["date"] <= midnight(through)]
    won, lost = closed[closed["is_won"]], closed[closed["is_lost"]]
    priced = won[won["amount"].notna()]
    cents = priced["amount"].map(lambda amount: int(amount.replace(".", ""))).astype("int64")
    return stacked(
        [
            summed(
                won.drop(columns="currency_code").assign(amount=1), "won_deals", CRM_ACCOUNT, ()
            ),
            summed(
                lost.drop(columns="currency_code").assign(amount=1), "lost_deals", CRM_ACCOUNT, ()
            ),
            summed(priced.assign(amount=cents), "won_amount", CRM_ACCOUNT, (), 2),
            _each_deal(priced.assign(amount=cents), "won_deal_amount", 2),
            _each_deal(
                won.assign(
                    amount=(won["close_date"] - won["created_date"]).dt.days, currency_code=""
                ),
                "won_deal_days",
            ),
            _counted(_new_customers(won), "new_customers", ("channel",)),
            summed(open_qualified(known, deals, through), "open_qualified_deals", CRM_ACCOUNT, ()),
        ]
    )


def _counted(deals: pd.DataFrame, component: str, segments: tuple[str, ...] = ()) -> pd.DataFrame:
    rows = deals.drop(columns="currency_code").assign(amount=1)
    return summed(rows, component, CRM_ACCOUNT, segments)


def _each_deal(deals: pd.DataFrame, component: str, places: int = 0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "kpi_component": component,
            "date": deals["date"],
            "account_id": CRM_ACCOUNT,
            "segment_type": "deal",
            "segment": deals["deal_id"],
            "currency_code": deals["currency_code"],
            "value": exact(deals["amount"], places),
        }
    )


def _new_customers(won: pd.DataFrame) -> pd.DataFrame:
    """The first won deal of each customer: the earliest close, then the lowest id."""
    ordered = won.assign(number=won["deal_id"].astype("int64"))
    return ordered.sort_values(["close_date", "number"]).drop_duplicates("customer")


def open_qualified(known: Snapshot, deals: pd.DataFrame, through: date) -> pd.DataFrame:
    """How many deals were open, qualified and not stale at the end of each day.

    Columns date and amount. A deal counts on the days from its creation until the day before it
    closes, once it has entered a stage other than the first, while its newest stage change by
    that day is at most 60 days back.
    """
    closes = deals["close_date"].where(deals["is_won"] | deals["is_lost"])
    lives = deals[["deal_id", "created_date"]].assign(closes=closes)
    history = known.deal_stage_history
    changes = history.assign(changed=days_of(history["at"], known.time_zone))
    qualified = changes[changes["stage_id"] != STAGES[0]].sort_values("changed")
    qualified = qualified.drop_duplicates("deal_id").rename(columns={"changed": "qualified"})
    changes = changes[changes["changed"] <= midnight(through)][["deal_id", "changed"]]
    changes = changes.drop_duplicates().sort_values(["deal_id", "changed"])
    changes["next"] = changes.groupby("deal_id")["changed"].shift(-1)
    rows = changes.merge(qualified[["deal_id", "qualified"]], on="deal_id").merge(lives)
    day = pd.Timedelta(days=1)
    stale = rows["changed"] + _STALE_DAYS * day
    until = pd.concat([rows["next"] - day, stale, rows["closes"] - day], axis=1).min(axis=1)
    since = rows[["changed", "qualified", "created_date"]].max(axis=1)
    calendar = pd.date_range(known.start, through, freq="D", unit="s")
    begins = np.searchsorted(calendar, since, side="left")
    ends = np.searchsorted(calendar, until, side="right")
    counted = begins < ends
    steps = np.zeros(len(calendar) + 1, dtype=np.int64)
    np.add.at(steps, begins[counted], 1)
    np.add.at(steps, ends[counted], -1)
    return pd.DataFrame({"date": calendar, "amount": np.cumsum(steps)[:-1]})
