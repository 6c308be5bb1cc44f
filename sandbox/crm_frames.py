"""How the CRM looks at an instant: contacts, companies, deals, their history and associations."""

from __future__ import annotations

from datetime import date, timedelta
from functools import reduce
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sandbox.campaigns import Plan
from sandbox.deals import DEAL_TYPES
from sandbox.draws import (
    DAY,
    HOUR,
    NEVER,
    Columns,
    day_start_ms,
    instants,
    office,
    planned,
    texts,
)
from sandbox.names import (
    COUNTRIES,
    DEAL_SUBJECTS,
    FAMILY_NAMES,
    GIVEN_NAMES,
    OWNERS,
    company_domain,
    company_name,
    email_address,
)
from sandbox.people import EDITS, PAID_SOCIAL, SOURCES, companies_of, ids_by_creation, merged_at
from sandbox.snapshot import LOST, STAGES, WON

FIRST_CONTACT, FIRST_COMPANY, FIRST_DEAL = 9_951, 9_971, 9_981  # ids soon gain a digit
_EMAIL, _REFERRAL = SOURCES.index("EMAIL_MARKETING"), SOURCES.index("REFERRALS")
_FIRST_OWNER: Final = 41_629_701
_LEFT_ON, _JOINED_ON = 10, 7


class CrmView:
    """The CRM at `now_ms`, from all people, deals and stage events of the company."""

    def __init__(
        self, people: Columns, deals: Columns, events: Columns, plan: Plan, now_ms: int
    ) -> None:
        self._people = people
        self._deals = deals
        self._plan = plan
        self._now = now_ms
        self._created = people["created"].astype(np.int64)
        self._contact_ids = ids_by_creation(self._created, FIRST_CONTACT)
        self._merged_at = merged_at(people)
        self._is_gone = people["gone"] <= now_ms
        self._customer_since = _first_bought(people, deals, events)
        self._company = companies_of(people)
        self._company_created = np.full(len(self._created), NEVER)
        members = self._company >= 0
        np.minimum.at(self._company_created, self._company[members], self._created[members])
        self._company_ids = ids_by_creation(self._company_created, FIRST_COMPANY)
        self._company_archived = _company_archived(people, self._company_created)
        deal_created = deals["created"].astype(np.int64)
        self._deal_ids = ids_by_creation(deal_created, FIRST_DEAL)
        self._deal_known = deal_created <= now_ms
        due = events["at"] <= now_ms
        order = np.lexsort((events["at"][due], events["deal"][due]))
        self._events: Columns = {name: column[due][order] for name, column in events.items()}

    def contact_ids(self) -> NDArray[np.int64]:
        return self._contact_ids

    def contacts(self) -> pd.DataFrame:
        people, now = self._people, self._now
        number = np.arange(len(self._created))
        edits = [people[f"edit_{index}"].astype(np.int64) for index in range(EDITS)]
        owner = np.where(edits[0] <= now, people["next_owner"], people["owner"])
        family = people["family_name"] + (edits[1] <= now)
        source = people["source"].astype(np.int64)
        corrected = (number % 11 == 5) & (edits[0] <= now) & (source > PAID_SOCIAL)
        source = np.where(corrected, _REFERRAL, source)
        archived = np.minimum(people["archived"], self._merged_at).astype(np.int64)
        steps: dict[str, NDArray[np.int64]] = {
            "mql_at": people["mql"].astype(np.int64),
            "sql_at": people["sql"].astype(np.int64),
            "opportunity_at": people["opportunity"].astype(np.int64),
            "customer_at": self._customer_since,
        }
        engaged = people["engaged"].astype(np.int64)
        changes = [*steps.values(), *edits, archived, engaged, self._winner_changed()]
        given = texts(GIVEN_NAMES, people["given_name"] % len(GIVEN_NAMES))
        families = texts(FAMILY_NAMES, family % len(FAMILY_NAMES))
        frame = pd.DataFrame(
            {
                "contact_id": _text(self._contact_ids),
                "created_at": instants(self._created, now),
                "updated_at": instants(_newest(self._created, changes, now), now),
                "archived_at": instants(archived, now),
                "email": [
                    email_address(*row)
                    for row in zip(given, families, self._company, number, strict=True)
                ],
                "first_name": given,
                "last_name": families,
                "lifecycle_stage": _lifecycle(steps, now),
                "lead_at": instants(self._created, now),
                **{name: instants(at, now) for name, at in steps.items()},
                "first_engaged_at": instants(engaged, now),
                "analytics_source": texts(SOURCES, np.where(source < len(SOURCES), source, -1)),
                **self._tags(source),
                "owner_id": texts(_owner_ids(), owner),
                "merged_ids": self._merged_ids(),
                "is_gone": self._is_gone,
            }
        )
        return _in_order(frame, self._created, self._created <= now)

    def _tags(self, source: NDArray[np.int64]) -> dict[str, NDArray[np.generic]]:
        people = self._people
        campaign = texts(self._plan.campaign_ids, people["campaign"])
        month = self._created // (30 * DAY) % 12
        untagged = people["campaign"] < 0
        newsletter = untagged & (source == _EMAIL)
        campaign[newsletter] = [f"newsletter_{number + 1:02d}" for number in month[newsletter]]
        social = untagged & (source == PAID_SOCIAL)
        campaign[social] = "meta_retargeting"
        origin = np.where(untagged, -1, 0)
        origin[newsletter], origin[social] = 1, 2
        clicked = np.flatnonzero(people["has_click_id"])
        click_id = np.full(len(campaign), None, dtype=object)
        click_id[clicked] = [
            f"EAIaIQobChMI{value:016x}" for value in people["click_id"][clicked].tolist()
        ]
        return {
            "utm_campaign": campaign,
            "utm_source": texts(("google", "newsletter", "meta"), origin),
            "google_click_id": click_id,
        }

    def _merges(self) -> NDArray[np.int64]:
        """Numbers of the people merged away by now, oldest merge first."""
        losers = np.flatnonzero(self._merged_at <= self._now)
        return losers[np.argsort(self._merged_at[losers], kind="stable")]

    def _winner_changed(self) -> NDArray[np.int64]:
        """The newest merge into each person that is known by now; 0 for none."""
        changed = np.zeros(len(self._created), dtype=np.int64)
        losers = self._merges()
        np.maximum.at(changed, self._people["winner"][losers], self._merged_at[losers])
        return changed

    def _merged_ids(self) -> NDArray[np.generic]:
        merged = np.full(len(self._created), None, dtype=object)
        for loser in self._merges().tolist():
            winner = self._people["winner"][loser]
            known = merged[winner]
            merged[winner] = (f"{known};" if known else "") + str(self._contact_ids[loser])
        return merged

    def companies(self) -> pd.DataFrame:
        renamed = self._people["edit_1"].astype(np.int64)
        changes = [renamed, self._company_archived]
        number = np.arange(len(self._created))
        frame = pd.DataFrame(
            {
                "company_id": _text(self._company_ids),
                "created_at": instants(self._company_created, self._now),
                "updated_at": instants(
                    _newest(self._company_created, changes, self._now), self._now
                ),
                "archived_at": instants(self._company_archived, self._now),
                "name": [
                    company_name(row, changed)
                    for row, changed in zip(number, renamed <= self._now, strict=True)
                ],
                "domain": [company_domain(row) for row in number],
                "country": texts(
                    COUNTRIES,
                    np.where(self._people["is_american"], number % 2 + 3, number % 3),
                ),
                "owner_id": texts(_owner_ids(), self._people["owner"]),
            }
        )
        return _in_order(frame, self._company_created, self._company_created <= self._now)

    def deals(self) -> pd.DataFrame:
        deals, events, now = self._deals, self._events, self._now
        count = len(self._deal_ids)
        last = np.full(count, -1)
        last[events["deal"]] = np.arange(len(events["deal"]))  # ordered by time: the newest stays
        known = last >= 0
        stage = np.where(known, events["stage"][last], 0)
        entered = np.where(known, events["at"][last], deals["created"])
        is_closed = (stage == WON) | (stage == LOST)
        closes = np.where(is_closed, events["close"][last], deals["planned"])
        closes = np.where(is_closed | deals["has_plan"].astype(bool), closes, NEVER)
        cents = np.where(deals["edit"] <= now, deals["corrected"], deals["cents"])
        amount = np.array([f"{cent // 100}.{cent % 100:02d}" for cent in cents.tolist()], object)
        amount[~deals["amount_known"].astype(bool) & (stage != WON)] = None
        archived = deals["archived"].astype(np.int64)
        changes = [entered, deals["edit"].astype(np.int64), archived]
        owner_of = deals["company_contact"].astype(np.int64)
        company = self._company[owner_of]
        names = [
            f"{company_name(max(firm, 0), False)}: {DEAL_SUBJECTS[number % len(DEAL_SUBJECTS)]}"
            for number, firm in enumerate(company.tolist())
        ]
        created = deals["created"].astype(np.int64)
        frame = pd.DataFrame(
            {
                "deal_id": _text(self._deal_ids),
                "created_at": instants(created, now),
                "updated_at": instants(_newest(created, changes, now), now),
                "archived_at": instants(archived, now),
                "name": names,
                "pipeline_id": "default",
                "stage_id": texts(STAGES, stage),
                "amount": amount,
                "currency_code": np.where(deals["is_american"], "USD", "EUR"),
                "close_at": planned(closes.astype(np.int64)),
                "deal_type": texts(DEAL_TYPES, deals["type"]),
                "owner_id": texts(_owner_ids(), deals["owner"]),
            }
        )
        return _in_order(frame, created, self._deal_known)

    def deal_stage_history(self) -> pd.DataFrame:
        events = self._events
        order = np.lexsort((-events["at"], self._deal_ids[events["deal"]]))
        return pd.DataFrame(
            {
                "deal_id": _text(self._deal_ids[events["deal"][order]]),
                "stage_id": texts(STAGES, events["stage"][order]),
                "at": instants(events["at"][order], self._now),
            }
        )

    def deal_contacts(self) -> pd.DataFrame:
        """Who belongs to each deal: a merged person's place is taken by the one it was merged into.

        An archived person stays associated, one deleted for good does not.
        """
        pairs = self._pairs("contact", "second_contact")
        merged = self._merged_at[pairs[1]] <= self._now
        contact = np.where(merged, self._people["winner"][pairs[1]], pairs[1])
        known = (self._created[contact] <= self._now) & ~self._is_gone[contact]
        return self._associations("contact_id", pairs[0][known], self._contact_ids[contact[known]])

    def deal_companies(self) -> pd.DataFrame:
        """The companies of each deal; an archived company is no longer associated."""
        deals = self._deals
        first = np.where(deals["has_company"], self._company[deals["company_contact"]], -1)
        colleague = deals["second_contact"].astype(np.int64)
        has_second = deals["second_company"].astype(bool) & (colleague >= 0)
        second = np.where(has_second, self._company[np.maximum(colleague, 0)], -1)
        deal = np.tile(np.flatnonzero(self._deal_known), 2)
        company = np.concatenate([first[self._deal_known], second[self._deal_known]])
        deal, company = deal[company >= 0], company[company >= 0]
        known = (self._company_created[company] <= self._now) & (
            self._company_archived[company] > self._now
        )
        return self._associations("company_id", deal[known], self._company_ids[company[known]])

    def _pairs(self, *names: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        deal = np.tile(np.flatnonzero(self._deal_known), len(names))
        other = np.concatenate(
            [self._deals[name][self._deal_known].astype(np.int64) for name in names]
        )
        return deal[other >= 0], other[other >= 0]

    def _associations(
        self, name: str, deal: NDArray[np.int64], other_id: NDArray[np.int64]
    ) -> pd.DataFrame:
        pairs = np.unique(np.stack([self._deal_ids[deal], other_id], axis=1), axis=0)
        return pd.DataFrame({"deal_id": _text(pairs[:, 0]), name: _text(pairs[:, 1])})


def owner_frame(start: date, zone: ZoneInfo, now_ms: int) -> pd.DataFrame:
    """The owners of records: one leaves on the company's eleventh day, one joins on its eighth."""
    begin = day_start_ms(start, zone) + 8 * HOUR
    left = day_start_ms(start + timedelta(days=_LEFT_ON), zone) + 16 * HOUR
    joined_on = day_start_ms(start + timedelta(days=_JOINED_ON), zone) + 9 * HOUR
    count = len(OWNERS)
    created = np.full(count, begin)
    created[-1] = joined_on
    archived = np.full(count, NEVER)
    archived[3] = left
    frame = pd.DataFrame(
        {
            "owner_id": _owner_ids(),
            "email": [
                f"{given.lower()}.{family.lower()}@northwind-trails.example"
                for given, family in OWNERS
            ],
            "first_name": [given for given, _ in OWNERS],
            "last_name": [family for _, family in OWNERS],
            "user_id": [str(9_586_501 + number) for number in range(count)],
            "is_archived": archived <= now_ms,
            "created_at": instants(created, now_ms),
            "updated_at": instants(_newest(created, [archived], now_ms), now_ms),
            "team": ["Sales US" if number % 3 == 2 else "Sales EMEA" for number in range(count)],
        }
    )
    return frame[created <= now_ms].reset_index(drop=True)


def _owner_ids() -> list[str]:
    return [str(_FIRST_OWNER + 7 * number) for number in range(len(OWNERS))]


def _text(ids: NDArray[np.int64]) -> NDArray[np.generic]:
    return ids.astype(str).astype(object)


def _newest(
    created: NDArray[np.int64], changes: list[NDArray[np.int64]], now_ms: int
) -> NDArray[np.int64]:
    """The newest change that is known by now, at least the creation."""
    return reduce(
        lambda newest, at: np.maximum(newest, np.where(at <= now_ms, at, 0)), changes, created
    )


def _lifecycle(steps: dict[str, NDArray[np.int64]], now_ms: int) -> NDArray[np.generic]:
    stages = (
        *("lead", "marketingqualifiedlead", "salesqualifiedlead"),
        *("opportunity", "customer"),
    )
    reached = np.zeros(len(steps["mql_at"]), dtype=np.int64)
    for number, at in enumerate(steps.values(), start=1):
        reached = np.where(at <= now_ms, number, reached)
    return texts(stages, reached)


def _in_order(
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
    chosen = (number % 83 == 7) & (created < NEVER)
    lag = people["click_id"].astype(np.int64) % (12 * DAY)
    base = np.where(chosen, np.minimum(created, NEVER - 1) + lag, NEVER)
    return office(base, (lag % 997) / 997)
