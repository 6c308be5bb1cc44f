"""Deals as the CRM shows them at an instant, with their stage history and associations."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sandbox.crm_view import CrmView, id_texts, in_order, newest, owner_ids
from sandbox.deals import DEAL_TYPES
from sandbox.draws import NEVER, instants, planned, texts
from sandbox.names import DEAL_SUBJECTS, company_name
from sandbox.snapshot import LOST, STAGES, WON


def deal_frame(view: CrmView) -> pd.DataFrame:
    deals, events, now = view.deals, view.events, view.now
    count = len(view.deal_ids)
    last = np.full(count, -1)
    last[events["deal"]] = np.arange(len(events["deal"]))  # ordered by time: the newest stays
    known = last >= 0
    stage = np.where(known, events["stage"][last], 0)
    entered = np.where(known, events["at"][last], deals["created"])
    is_closed = (stage == WON) | (stage == LOST)
    closes = np.where(is_closed, events["close"][last], deals["planned"])
    closes = np.where(is_closed | deals["has_plan"].astype(bool), closes, NEVER)
    archived = deals["archived"].astype(np.int64)
    edited = np.where(deals["edit"] < archived, deals["edit"], NEVER)
    cents = np.where(edited <= now, deals["corrected"], deals["cents"])
    amount = np.array([f"{cent // 100}.{cent % 100:02d}" for cent in cents.tolist()], object)
    amount[~deals["amount_known"].astype(bool) & (stage != WON)] = None
    changes = [entered, edited, archived]
    owner_of = deals["company_contact"].astype(np.int64)
    company = view.company[owner_of]
    names = [
        f"{company_name(max(firm, 0), False)}: {DEAL_SUBJECTS[number % len(DEAL_SUBJECTS)]}"
        for number, firm in enumerate(company.tolist())
    ]
    created = deals["created"].astype(np.int64)
    frame = pd.DataFrame(
        {
            "deal_id": id_texts(view.deal_ids),
            "created_at": instants(created, now),
            "updated_at": instants(newest(created, changes, now), now),
            "archived_at": instants(archived, now),
            "name": names,
            "pipeline_id": "default",
            "stage_id": texts(STAGES, stage),
            "amount": amount,
            "currency_code": np.where(deals["is_american"], "USD", "EUR"),
            "close_at": planned(closes.astype(np.int64)),
            "deal_type": texts(DEAL_TYPES, deals["type"]),
            "owner_id": texts(owner_ids(), deals["owner"]),
        }
    )
    return in_order(frame, created, view.deal_known)


def stage_history_frame(view: CrmView) -> pd.DataFrame:
    events = view.events
    order = np.lexsort((-events["at"], view.deal_ids[events["deal"]]))
    return pd.DataFrame(
        {
            "deal_id": id_texts(view.deal_ids[events["deal"][order]]),
            "stage_id": texts(STAGES, events["stage"][order]),
            "at": instants(events["at"][order], view.now),
        }
    )


def deal_contact_frame(view: CrmView) -> pd.DataFrame:
    """Who belongs to each deal: a merged person's place is taken by the one it was merged into.

    An archived person stays associated, one deleted for good does not.
    """
    pairs = _pairs(view, "contact", "second_contact")
    merged = view.merged_at[pairs[1]] <= view.now
    contact = np.where(merged, view.people["winner"][pairs[1]], pairs[1])
    known = (view.created[contact] <= view.now) & ~view.is_gone[contact]
    return _associations(view, "contact_id", pairs[0][known], view.contact_ids[contact[known]])


def deal_company_frame(view: CrmView) -> pd.DataFrame:
    """The companies of each deal; an archived company is no longer associated."""
    deals = view.deals
    first = np.where(deals["has_company"], view.company[deals["company_contact"]], -1)
    colleague = deals["second_contact"].astype(np.int64)
    has_second = deals["second_company"].astype(bool) & (colleague >= 0)
    second = np.where(has_second, view.company[np.maximum(colleague, 0)], -1)
    deal = np.tile(np.flatnonzero(view.deal_known), 2)
    company = np.concatenate([first[view.deal_known], second[view.deal_known]])
    deal, company = deal[company >= 0], company[company >= 0]
    known = (view.company_created[company] <= view.now) & (
        view.company_archived[company] > view.now
    )
    return _associations(view, "company_id", deal[known], view.company_ids[company[known]])


def _pairs(view: CrmView, *names: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    deal = np.tile(np.flatnonzero(view.deal_known), len(names))
    other = np.concatenate([view.deals[name][view.deal_known].astype(np.int64) for name in names])
    return deal[other >= 0], other[other >= 0]


def _associations(
    view: CrmView, name: str, deal: NDArray[np.int64], other_id: NDArray[np.int64]
) -> pd.DataFrame:
    pairs = np.unique(np.stack([view.deal_ids[deal], other_id], axis=1), axis=0)
    return pd.DataFrame({"deal_id": id_texts(pairs[:, 0]), name: id_texts(pairs[:, 1])})
