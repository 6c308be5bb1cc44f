"""Whatever a real company's data surprises with is there, in the smallest company too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from boscard.clock import Clock
from sandbox.company import Company
from sandbox.snapshot import STAGES, Snapshot

BERLIN = ZoneInfo("Europe/Berlin")
START = date(2025, 10, 1)


def seen(company: Company, day: int) -> Snapshot:
    return company.at(Clock(company.start + timedelta(days=day), BERLIN, 7).now)


@pytest.fixture(
    scope="module",
    params=[(0.05, START), (0.1, START), (0.05, date(2026, 3, 1)), (1.0, START)],
    ids=["scale 0.05", "scale 0.1", "scale 0.05 in spring", "scale 1"],
)
def young(request: pytest.FixtureRequest) -> Snapshot:
    """A company of twenty days."""
    scale, start = request.param
    return seen(Company(scale=scale, start=start), 19)


@pytest.fixture(scope="module")
def grown() -> Snapshot:
    return seen(Company(), 399)


def _local_days(instants: pd.Series) -> pd.Series:
    return instants.dt.tz_convert(BERLIN).dt.normalize()


def _backdated(known: Snapshot) -> pd.Series:
    deals = known.deals[known.deals["stage_id"].isin(STAGES[4:])]
    entered = known.deal_stage_history.drop_duplicates("deal_id").set_index("deal_id")["at"]
    return _local_days(deals["close_at"]) < _local_days(deals["deal_id"].map(entered))


def _merged(known: Snapshot) -> pd.Series:
    contacts = known.contacts.set_index("contact_id")
    losers = contacts["merged_ids"].dropna().str.split(";").explode()
    return contacts["archived_at"].reindex(losers).notna()


def _answers(kind: str) -> Callable[[Snapshot], pd.Series]:
    def answered(known: Snapshot) -> pd.Series:
        form = known.forms[known.forms["kind"] == kind]["form_id"].iloc[0]
        return (known.responses["form_id"] == form) & known.responses["score"].notna()

    return answered


def _duplicate_company_wins(known: Snapshot) -> pd.Series:
    won = known.deals[known.deals["stage_id"] == "closedwon"]["deal_id"]
    pairs = known.deal_companies[known.deal_companies["deal_id"].isin(won)]
    return pairs["company_id"].value_counts() > 1


ODDITIES: dict[str, tuple[int, Callable[[Snapshot], pd.Series]]] = {
    "search campaigns": (2, lambda k: k.campaigns["channel_type"] == "SEARCH"),
    "display campaigns": (2, lambda k: k.campaigns["channel_type"] == "DISPLAY"),
    "video campaigns": (2, lambda k: k.campaigns["channel_type"] == "VIDEO"),
    "performance max campaigns": (2, lambda k: k.campaigns["channel_type"] == "PERFORMANCE_MAX"),
    "a campaign named like a script": (1, lambda k: k.campaigns["name"].str.contains("<script>")),
    "a name with comma, quotes and emoji": (
        1,
        lambda k: k.campaigns["name"].str.contains(',.*".*🏔', regex=True),
    ),
    "a paused campaign": (1, lambda k: k.campaigns["status"] == "PAUSED"),
    "a removed campaign in the list": (
        1,
        lambda k: (k.campaigns["status"] == "REMOVED") & k.campaigns["is_listed"],
    ),
    "a campaign deleted for good": (1, lambda k: ~k.campaigns["is_listed"]),
    "a launch after the first day": (
        2,
        lambda k: k.campaigns["start_date"] > pd.Timestamp(k.start),
    ),
    "clicks without spend": (
        1,
        lambda k: (k.ad_daily["clicks"] > 0) & (k.ad_daily["cost_micros"] == 0),
    ),
    "conversions on days without a click": (
        1,
        lambda k: (k.ad_daily["conversions"] > 0) & (k.ad_daily["clicks"] == 0),
    ),
    "leads nobody called": (
        10,
        lambda k: k.contacts["first_engaged_at"].isna() & k.contacts["customer_at"].isna(),
    ),
    "edited contacts": (5, lambda k: k.contacts["updated_at"] > k.contacts["created_at"]),
    "merges": (2, _merged),
    "archived contacts": (3, lambda k: k.contacts["archived_at"].notna()),
    "people deleted for good, archived before": (
        1,
        lambda k: k.contacts["gone_at"].notna() & k.contacts["archived_at"].notna(),
    ),
    "people deleted for good at once": (
        1,
        lambda k: k.contacts["gone_at"].notna() & k.contacts["archived_at"].isna(),
    ),
    "contacts without an address": (1, lambda k: k.contacts["email"].isna()),
    "paid leads without a tag": (
        1,
        lambda k: (
            (k.contacts["analytics_source"] == "PAID_SEARCH") & k.contacts["utm_campaign"].isna()
        ),
    ),
    "archived deals": (2, lambda k: k.deals["archived_at"].notna()),
    "deals won": (3, lambda k: k.deals["stage_id"] == "closedwon"),
    "deals lost": (3, lambda k: k.deals["stage_id"] == "closedlost"),
    "open deals": (3, lambda k: ~k.deals["stage_id"].isin(STAGES[4:])),
    "a close that was dated back": (1, _backdated),
    "answers to the nps survey": (5, _answers("nps")),
    "answers to the csat survey": (5, _answers("csat")),
    "answers to the pulse": (5, _answers("pulse")),
    "partial responses": (1, lambda k: k.responses["response_type"] == "partial"),
    "answers of unknown people": (1, lambda k: k.responses["contact_id"].isna()),
}

ODDITIES_OF_AGE: dict[str, tuple[int, Callable[[Snapshot], pd.Series]]] = {
    "all stages": (6, lambda k: k.deals["stage_id"].value_counts() > 20),
    "deals without an amount": (20, lambda k: k.deals["amount"].isna()),
    "deals without a close date": (10, lambda k: k.deals["close_at"].isna()),
    "deals nobody is associated with": (
        5,
        lambda k: ~k.deals["deal_id"].isin(k.deal_contacts["deal_id"]),
    ),
    "deals of an archived person": (
        5,
        lambda k: k.deal_contacts["contact_id"].isin(
            k.contacts[k.contacts["archived_at"].notna()]["contact_id"]
        ),
    ),
    "deals with two contacts": (50, lambda k: k.deal_contacts["deal_id"].value_counts() > 1),
    "deals with two companies": (5, lambda k: k.deal_companies["deal_id"].value_counts() > 1),
    "won deals without a company": (
        10,
        lambda k: (
            (k.deals["stage_id"] == "closedwon")
            & ~k.deals["deal_id"].isin(k.deal_companies["deal_id"])
        ),
    ),
    "companies that bought twice": (20, _duplicate_company_wins),
    "reopened deals": (
        5,
        lambda k: (
            (k.deal_stage_history["stage_id"] == "closedlost")
            & ~k.deal_stage_history["deal_id"].isin(
                k.deals[k.deals["stage_id"] == "closedlost"]["deal_id"]
            )
        ),
    ),
    "deals won on the day they were created": (
        3,
        lambda k: (
            (k.deals["stage_id"] == "closedwon")
            & (_local_days(k.deals["close_at"]) == _local_days(k.deals["created_at"]))
        ),
    ),
    "stage changes after two months of silence": (
        20,
        lambda k: k.deal_stage_history.groupby("deal_id")["at"].diff() < pd.Timedelta(days=-60),
    ),
    "archived companies": (20, lambda k: k.companies["archived_at"].notna()),
    "closes dated back": (5, _backdated),
    "stages skipped on the way to an opportunity": (
        20,
        lambda k: (
            k.contacts["mql_at"].notna()
            & k.contacts["sql_at"].isna()
            & k.contacts["opportunity_at"].notna()
        ),
    ),
    "qualified by sales on the last moment of ninety days": (
        3,
        lambda k: k.contacts["sql_at"] - k.contacts["mql_at"] == pd.Timedelta(days=90),
    ),
    "qualified by sales a second too late": (
        3,
        lambda k: k.contacts["sql_at"] - k.contacts["mql_at"] == pd.Timedelta(days=90, seconds=1),
    ),
    "leads without a source": (10, lambda k: k.contacts["analytics_source"].isna()),
    "unpaid leads tagged with a campaign": (
        20,
        lambda k: (
            (k.contacts["analytics_source"] == "DIRECT_TRAFFIC")
            & k.contacts["utm_campaign"].isin(k.campaigns["campaign_id"])
        ),
    ),
    "tags that are no campaign": (
        20,
        lambda k: (
            k.contacts["utm_campaign"].notna()
            & ~k.contacts["utm_campaign"].isin(k.campaigns["campaign_id"])
        ),
    ),
    "answers without a score": (
        5,
        lambda k: (k.responses["response_type"] == "completed") & k.responses["score"].isna(),
    ),
    "second answers within a month": (
        20,
        lambda k: k.responses[
            (k.responses["form_id"] == "NpsCust1") & k.responses["contact_id"].notna()
        ].pipe(
            lambda rows: rows.assign(month=rows["submitted_at"].dt.strftime("%Y-%m")).duplicated(
                ["contact_id", "month"]
            )
        ),
    ),
    "responses only started": (5, lambda k: k.responses["response_type"] == "started"),
    "answers finished on a later day": (
        20,
        lambda k: _local_days(k.responses["submitted_at"]) > _local_days(k.responses["landed_at"]),
    ),
    "comments over two lines": (20, lambda k: k.responses["comment"].str.contains("\n") == True),  # noqa: E712
    "owners who left": (1, lambda k: k.owners["is_archived"]),
    "ads that stopped": (5, lambda k: k.ads["status"] == "PAUSED"),
    "conversions beyond the clicks": (
        1,
        lambda k: k.ad_daily["conversions"] > k.ad_daily["clicks"],
    ),
}


@pytest.mark.parametrize(("least", "found"), ODDITIES.values(), ids=ODDITIES)
def test_a_young_company_has(
    young: Snapshot, least: int, found: Callable[[Snapshot], pd.Series]
) -> None:
    assert found(young).sum() >= least


@pytest.mark.parametrize(
    ("least", "found"),
    [*ODDITIES.values(), *ODDITIES_OF_AGE.values()],
    ids=[*ODDITIES, *ODDITIES_OF_AGE],
)
def test_a_grown_company_has(
    grown: Snapshot, least: int, found: Callable[[Snapshot], pd.Series]
) -> None:
    assert found(grown).sum() >= least


def test_a_campaign_is_renamed_overnight_and_so_are_its_old_rows() -> None:
    company = Company(scale=0.05)
    then, now = (seen(company, day).campaigns.set_index("campaign_id")["name"] for day in (7, 8))
    assert (then.reindex(now.index).dropna() != now.reindex(then.index)).sum() == 1


def test_a_deleted_campaign_keeps_its_reports() -> None:
    company = Company(scale=0.05)
    before, after = seen(company, 12), seen(company, 13)
    deleted = after.campaigns[~after.campaigns["is_listed"]]["campaign_id"]
    assert before.campaigns["is_listed"].all()
    assert len(deleted) == 1
    rows = after.campaign_daily["campaign_id"].isin(deleted)
    assert rows.sum() >= 10
    assert after.ads["campaign_id"].isin(deleted).any()


def test_a_person_deleted_for_good_was_archived_days_before_or_left_alone() -> None:
    """Whoever looks each night sees the archiving, or the record as it was to the end."""
    company = Company(scale=1)
    archived = erased = 0
    for day in range(20, 50):
        then, now = (
            seen(company, each).contacts.set_index("contact_id") for each in (day, day + 1)
        )
        gone = now.index[now["gone_at"].notna() & then["gone_at"].reindex(now.index).isna()]
        assert gone.isin(then.index).all(), "each was there on the night before"
        seen_archived = then["archived_at"].reindex(gone).notna()
        alone = gone[~seen_archived]
        assert now["archived_at"][alone].isna().all()
        assert (now["updated_at"][alone] == then["updated_at"][alone]).all()
        archived, erased = archived + seen_archived.sum(), erased + len(alone)
    assert archived > 5
    assert erased > 5


def test_each_weekday_night_brings_news() -> None:
    company = Company()
    earlier, later = seen(company, 398), seen(company, 399)  # 3 and 4 November 2026
    contacts = later.contacts
    since = pd.Timestamp(earlier.now)
    assert (contacts["created_at"] > since).sum() > 20
    assert ((contacts["updated_at"] > since) & (contacts["created_at"] < since)).sum() > 20
    week_ago = seen(company, 392)
    assert (contacts["archived_at"] > pd.Timestamp(week_ago.now)).sum() >= 5
    assert _merged(later).sum() > _merged(week_ago).sum()
    deals = later.deals
    assert (deals["created_at"] > since).sum() >= 1
    assert ((deals["updated_at"] > since) & (deals["created_at"] < since)).sum() >= 5
    assert (later.responses["visible_at"] > since).sum() >= 3
    assert later.ad_daily["date"].max() > earlier.ad_daily["date"].max()
