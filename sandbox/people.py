"""The people of the CRM: leads from clicks and from elsewhere, and what becomes of them.

A person's whole future is drawn on the day of birth (the click, or the visit); a look at an
instant shows what has happened by then. People are numbered by birth; ids follow creation.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sandbox.campaigns import US
from sandbox.draws import DAY, HOUR, NEVER, Columns, later, office

# The vendor's sources; the last code stands for none.
SOURCES: Final = (
    *("PAID_SEARCH", "PAID_SOCIAL", "ORGANIC_SEARCH", "DIRECT_TRAFFIC", "EMAIL_MARKETING"),
    *("REFERRALS", "SOCIAL_MEDIA", "OFFLINE", "OTHER_CAMPAIGNS"),
)
PAID_SEARCH, PAID_SOCIAL, OFFLINE, OTHER = 0, 1, 7, 8
_VISITS = np.array([0.08, 0.42, 0.20, 0.10, 0.09, 0.08, 0.015, 0.01, 0.005])  # from PAID_SOCIAL
_QUALIFIED = np.array([0.40, 0.30, 0.52, 0.48, 0.50, 0.66, 0.35, 0.45, 0.40, 0.30])
OWNER_COUNT: Final = 16
ORDINAL_OF_DUPLICATES, ORDINAL_OF_ARCHIVED, ORDINAL_OF_GONE = (41, 13), (97, 31), (61, 17)
ORDINAL_OF_ERASED = (61, 48)
EDITS: Final = 3


def is_odd(number: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a person will be merged away, archived or deleted for good: known by its number."""
    ordinals = (ORDINAL_OF_DUPLICATES, ORDINAL_OF_ARCHIVED, ORDINAL_OF_GONE, ORDINAL_OF_ERASED)
    odd = np.zeros(len(number), dtype=bool)
    for every, rest in ordinals:
        odd |= number % every == rest
    return odd


def leads_of_clicks(rng: np.random.Generator, clicks: Columns) -> Columns:
    """The people behind one day's clicks that became leads, before their fates are drawn."""
    count = len(clicks["created"])
    lost_tag = rng.random(count) < 0.04
    return {
        "created": clicks["created"],
        "campaign": np.where(lost_tag, -1, clicks["campaign"]),
        "has_click_id": rng.random(count) < 0.97,
        "source": np.where(rng.random(count) < 0.97, PAID_SEARCH, OTHER),
        "is_american": clicks["account"] == US,
        "is_customer_of_old": np.zeros(count, dtype=bool),
    }


def visitors(
    rng: np.random.Generator, begin: int, end: int, expected: float, campaigns: int
) -> Columns:
    """One day's leads without a click on an ad; a few come by a page tagged with a campaign."""
    count = rng.poisson(expected)
    return {
        "created": begin + (rng.beta(2, 1.7, count) * (end - begin)).astype(np.int64),
        "campaign": np.where(
            rng.random(count) < 0.02, rng.integers(0, min(campaigns, 12), count), -1
        ),
        "has_click_id": np.zeros(count, dtype=bool),
        "source": 1 + rng.choice(len(_VISITS), count, p=_VISITS),
        "is_american": rng.random(count) < 0.35,
        "is_customer_of_old": np.zeros(count, dtype=bool),
    }


def customers_of_old(rng: np.random.Generator, begin: int, count: int) -> Columns:
    """Customers brought over from an older system by an import in office hours."""
    return {
        "created": begin + 9 * HOUR + np.sort(rng.integers(0, 2 * HOUR, count)),
        "campaign": np.full(count, -1),
        "has_click_id": np.zeros(count, dtype=bool),
        "source": np.full(count, OFFLINE),
        "is_american": rng.random(count) < 0.3,
        "is_customer_of_old": np.ones(count, dtype=bool),
    }


def draw_fates(rng: np.random.Generator, people: Columns, first: int) -> Columns:
    """Add to `people` what becomes of each; the first of them has number `first`.

    Adds instants (mql, sql, opportunity, engaged, edit_0.., archived, gone), the number of the
    person a duplicate is merged into (`winner`, else -1), whose company it joins (`joins`, its
    own number for a new company), and what names are made of.
    """
    created = people["created"].astype(np.int64)
    count = len(created)
    number = first + np.arange(count)
    fates = {name: rng.random(count) for name in ("mql", "sql", "skip", "deal", "edge", "night")}
    hours = {name: rng.random(count) for name in ("sql", "deal", "engaged", "gone", "edit")}
    old = people["is_customer_of_old"].astype(bool)

    qualified = (fates["mql"] < _QUALIFIED[people["source"]]) & ~old
    mql = later(created, np.where(rng.random(count) < 0.4, 0.0007, rng.exponential(3.5, count)))
    mql = np.where(qualified, mql, NEVER)
    skips = qualified & (fates["skip"] < 0.025)
    unqualified_sql = ~qualified & ~old & (fates["skip"] > 0.992)
    passes = (qualified & (fates["sql"] < 0.345) & ~skips) | unqualified_sql
    lag = rng.lognormal(2.3, 1.25, count)
    base = np.where(unqualified_sql, created, mql)
    sql = np.where(passes, office(later(base, lag, base < NEVER), hours["sql"]), NEVER)
    edge = passes & qualified & (fates["edge"] < 0.012)
    sql = np.where(edge, mql + 90 * DAY + np.where(fates["edge"] < 0.006, 0, 1000), sql)
    ready = np.where(skips, mql, sql)
    has_deal = (ready < NEVER) & ((fates["deal"] < 0.87) | skips)
    opportunity = office(later(ready, rng.exponential(5, count), has_deal), hours["deal"])

    called = rng.random(count) > 0.18
    engaged = office(later(created, rng.exponential(0.8, count), called), hours["engaged"])
    result = {
        **people,
        "mql": mql,
        "sql": sql,
        "opportunity": opportunity,
        "engaged": np.where(old, NEVER, engaged),
        **_ends(rng, created, number, hours["gone"]),
        **_edits(rng, created, hours["edit"], fates["night"]),
        "given_name": rng.integers(0, 10_000, count),
        "family_name": rng.integers(0, 10_000, count),
        "owner": rng.integers(0, OWNER_COUNT, count),
        "next_owner": rng.integers(0, OWNER_COUNT, count),
        "joins": np.where(
            rng.random(count) < 0.15, np.maximum(0, number - rng.integers(1, 90, count)), number
        ),
        "has_company": old | (rng.random(count) < 0.8),
        "click_id": rng.integers(0, 2**62, count),
    }
    return {name: np.asarray(value) for name, value in result.items()}


def _ends(
    rng: np.random.Generator,
    created: NDArray[np.int64],
    number: NDArray[np.int64],
    hour: NDArray[np.float64],
) -> Columns:
    """Who is merged into whom, archived, or deleted for good: some days after being archived, or
    at once, when a person asks to be forgotten."""
    every, rest = ORDINAL_OF_DUPLICATES
    winner = np.maximum(0, number - rng.integers(1, 60, len(number)))
    for _ in range(4):
        winner = np.where(is_odd(winner), np.maximum(0, winner - 1), winner)
    duplicate = (number % every == rest) & (winner < number) & ~is_odd(winner)
    gone = (number % ORDINAL_OF_GONE[0] == ORDINAL_OF_GONE[1]) & ~duplicate
    erased = (number % ORDINAL_OF_ERASED[0] == ORDINAL_OF_ERASED[1]) & ~duplicate
    archived = (number % ORDINAL_OF_ARCHIVED[0] == ORDINAL_OF_ARCHIVED[1]) & ~duplicate
    days = np.where(gone, rng.exponential(1.5, len(number)), rng.exponential(14, len(number)))
    archived_at = office(later(created, days, archived | gone), hour)
    return {
        "winner": np.where(duplicate, winner, -1),
        "merge_lag": (rng.exponential(5, len(number)) * DAY).astype(np.int64),
        "archived": archived_at,
        "gone": np.where(
            erased,
            office(later(created, 3 + days % 9), hour),
            later(archived_at, 2.5 + 4 * hour, gone),
        ),
    }


def _edits(
    rng: np.random.Generator,
    created: NDArray[np.int64],
    hour: NDArray[np.float64],
    night: NDArray[np.float64],
) -> Columns:
    """When a record is edited: mostly in office hours, now and then by a nightly workflow."""
    edits: Columns = {}
    at = created
    for index in range(EDITS):
        at = later(at, rng.exponential(25 if index == 0 else 180, len(created)))
        by_workflow = at // DAY * DAY + DAY + (hour * 4 * HOUR).astype(np.int64)
        edits[f"edit_{index}"] = np.where(night < 0.15, by_workflow, office(at, hour))
    return edits


def merged_at(people: Columns) -> NDArray[np.int64]:
    """When each duplicate was merged away; NEVER for all others."""
    created = people["created"].astype(np.int64)
    winner = people["winner"].astype(np.int64)
    both = np.maximum(created, created[np.maximum(winner, 0)]) + people["merge_lag"]
    share = (people["click_id"].astype(np.int64) % 1000) / 1000
    return np.where(winner >= 0, office(both, share), NEVER)


def companies_of(people: Columns) -> NDArray[np.int64]:
    """The number of the founder of each person's company, -1 for people without one."""
    company = people["joins"].astype(np.int64)
    has_company = people["has_company"].astype(bool)
    while True:
        further = company[company]
        if np.array_equal(further, company):
            break
        company = further
    return np.where(has_company, company, -1)


def ids_by_creation(created: NDArray[np.int64], first: int) -> NDArray[np.int64]:
    """Numeric ids that grow with creation."""
    order = np.argsort(created, kind="stable")
    ids = np.empty(len(created), dtype=np.int64)
    ids[order] = first + np.arange(len(created))
    return ids
