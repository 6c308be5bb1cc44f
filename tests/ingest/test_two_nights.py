"""What two nights of changes add up to is what the vendors know on the second."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pandas as pd
import pytest

PORTAL = [("contacts", "contact_id"), ("companies", "company_id"), ("deals", "deal_id")]


@pytest.fixture(scope="module")
def snapshot(nights, company):
    return company.at(nights.clocks[-1].now)


def rows_of(nights, source, stream, account=None):
    """(batch, row) of all batches in the order of their numbers."""
    for batch in nights.landing.batches(source, account, stream):
        for line in nights.landing.read_rows(batch).splitlines():
            yield batch, msgspec.json.decode(line)


@pytest.mark.parametrize(("stream", "key"), PORTAL, ids=[stream for stream, _ in PORTAL])
def test_changes_add_up_to_the_portal(nights, snapshot, stream, key):
    known = {
        row["id"]: (datetime.fromisoformat(row["updatedAt"]), row["archived"])
        for _, row in rows_of(nights, "hubspot", stream)
    }
    frame = getattr(snapshot, stream)
    if "gone_at" in frame:
        # deleted for good: no longer in any list, whether it was seen before or not
        gone = set(frame.loc[frame["gone_at"].notna(), key])
        frame = frame[frame["gone_at"].isna()]
        known = {one: state for one, state in known.items() if one not in gone}
    expected = {
        one: (updated.to_pydatetime().replace(microsecond=0), pd.notna(archived))
        for one, updated, archived in zip(
            frame[key], frame["updated_at"], frame["archived_at"], strict=True
        )
    }
    assert {
        one: (updated.replace(microsecond=0), archived)
        for one, (updated, archived) in known.items()
    } == expected


def test_deals_carry_their_whole_stage_history(nights, snapshot):
    known = {
        row["id"]: [stage["value"] for stage in row["propertiesWithHistory"]["dealstage"]]
        for _, row in rows_of(nights, "hubspot", "deals")
    }
    history = snapshot.deal_stage_history.groupby("deal_id", sort=False)["stage_id"].agg(list)
    assert known == {deal: history[deal] for deal in snapshot.deals["deal_id"]}


def test_associations_are_those_of_what_is_live(nights, snapshot):
    newest = nights.landing.batches("hubspot", stream="deal_contacts")[-1]
    pairs = {
        (row["from"]["id"], str(one["toObjectId"]))
        for line in nights.landing.read_rows(newest).splitlines()
        for row in [msgspec.json.decode(line)]
        for one in row["to"]
    }
    deals, contacts, found = snapshot.deals, snapshot.contacts, snapshot.deal_contacts
    live_deals = set(deals.loc[deals["archived_at"].isna(), "deal_id"])
    live_contacts = set(contacts.loc[contacts["archived_at"].isna(), "contact_id"])
    assert pairs == {
        (deal, contact)
        for deal, contact in zip(found["deal_id"], found["contact_id"], strict=True)
        if deal in live_deals and contact in live_contacts
    }


@pytest.mark.parametrize("stream", ["campaign_daily", "ad_daily"])
def test_windows_replaced_in_order_are_the_vendor_as_restated(nights, snapshot, stream):
    days: dict[tuple[str, str], dict[str, tuple[int, int, float]]] = {}
    for batch in nights.landing.batches("google_ads", stream=stream):
        window = batch.manifest.window
        for place in [place for place in days if place[0] == batch.manifest.account]:
            if window.start.isoformat() <= place[1] <= window.end.isoformat():
                del days[place]
        for line in nights.landing.read_rows(batch).splitlines():
            row = msgspec.json.decode(line)
            place = (batch.manifest.account, row["segments"]["date"])
            name = (row["campaign"]["id"], row.get("adGroupAd", {}).get("ad", {}).get("id"))
            metrics = row["metrics"]
            days.setdefault(place, {})[name] = (
                int(metrics.get("clicks", 0)),
                int(metrics.get("costMicros", 0)),
                float(metrics.get("conversions", 0)),
            )
    known = {
        (*place, *name): value for place, names in days.items() for name, value in names.items()
    }
    frame = getattr(snapshot, stream)
    zones = snapshot.ad_accounts.set_index("account_id")["time_zone"]
    settled = {
        account: str(nights.clocks[-1].settled_day(ZoneInfo(zone)))
        for account, zone in zones.items()
    }
    ads = frame["ad_id"] if "ad_id" in frame else [None] * len(frame)
    expected = {
        (account, day, campaign, ad): (clicks, micros, conversions)
        for account, day, campaign, ad, clicks, micros, conversions in zip(
            frame["account_id"],
            frame["date"].dt.strftime("%Y-%m-%d"),
            frame["campaign_id"],
            ads,
            frame["clicks"],
            frame["cost_micros"],
            frame["conversions"],
            strict=True,
        )
        if day <= settled[account]
    }
    assert known == expected


def test_responses_are_those_submitted_by_the_settled_day(nights, snapshot, company):
    known = {row["token"] for _, row in rows_of(nights, "typeform", "responses")}
    frame = snapshot.responses
    local = frame["submitted_at"].dt.tz_convert("Europe/Berlin").dt.date
    done = frame[(frame["response_type"] == "completed") & (local <= nights.clocks[-1].as_of_date)]
    assert known == set(done["token"])
    newest = nights.landing.batches("typeform", stream="partial_responses")[-1]
    partial = {
        msgspec.json.decode(line)["token"] for line in nights.landing.read_rows(newest).splitlines()
    }
    assert partial == set(frame.loc[frame["response_type"] == "partial", "token"])
