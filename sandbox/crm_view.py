"""The CRM at one instant: who and what is known by then, as columns by number, and their ids."""

from __future__ import annotations

from functools import reduce
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sandbox.campaigns import Plan
from sandbox.draws import DAY, NEVER, Columns, office
from sandbox.names import OWNERS
from sandbox.people import companies_of, ids_by_creation, merged_at
from sandbox.snapshot import WON

FIRST_CONTACT, FIRST_COMPANY, FIRST_DEAL = 9_951, 9_971, 9_981  # ids soon gain a digit
FIRST_OWNER: Final = 41_629_701
_COMPANIES_ARCHIVED: Final = (83, 7)


class CrmView:
    """The CRM at `now` (ms), from all people, deals and stage events of the company.

    `created`, `merged_at`, `customer_since` and `company` (its founder, -1 for none) are by
    person, `company_*` by founder, `deal_*` by deal; `events` are those until now, by deal, time.
    """

    def __init__(
        self, people: Columns, deals: Columns, events: Columns, plan: Plan, now_ms: int
    ) -> None:
        self.people = people
        self.deals = deals
        self.plan = plan
        self.now = now_ms
        self.created = people["created"].astype(np.int64)
        self.contact_ids = ids_by_creation(self.created, FIRST_CONTACT)
        self.merged_at = merged_at(people)
        self.is_gone = people["gone"] <= now_ms
        self.customer_since = _first_bought(people, deals, events)
        self.company = companies_of(people)
        self.company_created = np.full(len(self.created), NEVER)
        members = self.company >= 0
        np.minimum.at(self.company_created, self.company[members], self.created[members])
        self.company_ids = ids_by_creation(self.company_created, FIRST_COMPANY)
        self.company_archived = _company_archived(people, self.company_created)
        deal_created = deals["created"].astype(np.int64)
        self.deal_ids = ids_by_creation(deal_created, FIRST_DEAL)
        self.deal_known = deal_created <= now_ms
        due = events["at"] <= np.minimum(now_ms, deals["archived"][events["deal"]])
        order = np.lexsort((events["at"][due], events["deal"][due]))
        self.events: Columns = {name: column[due][order] for name, column in events.items()}


def owner_ids() -> list[str]:
    return [str(FIRST_OWNER + 7 * number) for number in range(len(OWNERS))]


def id_texts(ids: NDArray[np.int64]) -> NDArray[np.generic]:
    return ids.astype(str).astype(object)


def newest(
    created: NDArray[np.int64], changes: list[NDArray[np.int64]], now_ms: int
) -> NDArray[np.int64]:
    """The newest change that is known by now, at least the creation."""
    return reduce(
        lambda newest, at: np.maximum(newest, np.where(at <= now_ms, at, 0)), changes, created
    )


def in_order(
    frame: pd.DataFrame, created: NDArray[np.int64], known: NDArray[np.bool_]
) -> pd.DataFrame:
    """The known rows in the order of their ids, which is that of creation."""
    order = np.argsort(created, kind="stable")
    return frame.iloc[order[known[order]]].reset_index(drop=True)


def _first_bought(people: Columns, deals: Columns, events: Columns) -> NDArray[np.int64]:
    """When each person's first deal was won; customers of old were customers on arrival."""
    since = np.where(people["is_customer_of_old"], people["created"], NEVER).astype(np.int64)
    won = events["stage"] == WON
    buyer = deals["contact"][events["deal"][won]].astype(np.int64)
    np.minimum.at(since, buyer[buyer >= 0], events["at"][won][buyer >= 0])
    return since


def _company_archived(people: Columns, created: NDArray[np.int64]) -> NDArray[np.int64]:
    number = np.arange(len(created))
    chosen = (number % _COMPANIES_ARCHIVED[0] == _COMPANIES_ARCHIVED[1]) & (created < NEVER)
    lag = people["click_id"].astype(np.int64) % (12 * DAY)
    base = np.where(chosen, np.minimum(created, NEVER - 1) + lag, NEVER)
    return office(base, (lag % 997) / 997)
