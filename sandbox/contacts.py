"""Contacts and companies as the CRM shows them at an instant."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sandbox.crm_view import CrmView, id_texts, in_order, newest, owner_ids
from sandbox.draws import DAY, NEVER, Array, instants, texts
from sandbox.names import (
    COUNTRIES,
    FAMILY_NAMES,
    GIVEN_NAMES,
    company_domain,
    company_name,
    email_address,
)
from sandbox.people import EDITS, PAID_SOCIAL, SOURCES

# How long before it is deleted for good nobody touches a record any more.
_FORGETTING = 2 * DAY
_EMAIL, _REFERRAL = SOURCES.index("EMAIL_MARKETING"), SOURCES.index("REFERRALS")


def contact_frame(view: CrmView) -> pd.DataFrame:
    people, now = view.people, view.now
    number = np.arange(len(view.created))
    archived = np.minimum(people["archived"], view.merged_at)
    quiet = np.minimum(archived, people["gone"] - _FORGETTING)

    def until_archived(at: Array) -> NDArray[np.int64]:
        return np.where(at < quiet, at, NEVER)

    edits = [until_archived(people[f"edit_{index}"]) for index in range(EDITS)]
    owner = np.where(edits[0] <= now, people["next_owner"], people["owner"])
    family = people["family_name"] + (edits[1] <= now)
    source = people["source"].astype(np.int64)
    corrected = (number % 11 == 5) & (edits[0] <= now) & (source > PAID_SOCIAL)
    source = np.where(corrected, _REFERRAL, source)
    steps = {
        "mql_at": until_archived(people["mql"]),
        "sql_at": until_archived(people["sql"]),
        "opportunity_at": until_archived(people["opportunity"]),
        "customer_at": until_archived(view.customer_since),
    }
    engaged = until_archived(people["engaged"])
    changes = [*steps.values(), *edits, archived, engaged, _winner_changed(view)]
    given = texts(GIVEN_NAMES, people["given_name"] % len(GIVEN_NAMES))
    families = texts(FAMILY_NAMES, family % len(FAMILY_NAMES))
    frame = pd.DataFrame(
        {
            "contact_id": id_texts(view.contact_ids),
            "created_at": instants(view.created, now),
            "updated_at": instants(newest(view.created, changes, now), now),
            "archived_at": instants(archived, now),
            "email": [
                email_address(*row)
                for row in zip(
                    given, families, view.company.tolist(), range(len(given)), strict=True
                )
            ],
            "first_name": given,
            "last_name": families,
            "lifecycle_stage": _lifecycle(steps, now),
            "lead_at": instants(view.created, now),
            **{name: instants(at, now) for name, at in steps.items()},
            "first_engaged_at": instants(engaged, now),
            "analytics_source": texts(SOURCES, np.where(source < len(SOURCES), source, -1)),
            **_tags(view, source),
            "owner_id": texts(owner_ids(), owner),
            "merged_ids": _merged_ids(view),
            "gone_at": instants(people["gone"], now),
        }
    )
    return in_order(frame, view.created, view.created <= now)


def _tags(view: CrmView, source: NDArray[np.int64]) -> dict[str, Array]:
    people = view.people
    campaign = texts(view.plan.campaign_ids, people["campaign"])
    month = view.created // (30 * DAY) % 12
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


def _merges(view: CrmView) -> NDArray[np.int64]:
    """Numbers of the people merged away by now, oldest merge first."""
    losers = np.flatnonzero(view.merged_at <= view.now)
    return losers[np.argsort(view.merged_at[losers], kind="stable")]


def _winner_changed(view: CrmView) -> NDArray[np.int64]:
    """The newest merge into each person that is known by now; 0 for none."""
    changed = np.zeros(len(view.created), dtype=np.int64)
    losers = _merges(view)
    np.maximum.at(changed, view.people["winner"][losers], view.merged_at[losers])
    return changed


def _merged_ids(view: CrmView) -> Array:
    merged = np.full(len(view.created), None, dtype=object)
    for loser in _merges(view).tolist():
        winner = view.people["winner"][loser]
        known = merged[winner]
        merged[winner] = (f"{known};" if known else "") + str(view.contact_ids[loser])
    return merged


def _lifecycle(steps: dict[str, NDArray[np.int64]], now_ms: int) -> Array:
    stages = (
        *("lead", "marketingqualifiedlead", "salesqualifiedlead"),
        *("opportunity", "customer"),
    )
    reached = np.zeros(len(steps["mql_at"]), dtype=np.int64)
    for number, at in enumerate(steps.values(), start=1):
        reached = np.where(at <= now_ms, number, reached)
    return texts(stages, reached)


def company_frame(view: CrmView) -> pd.DataFrame:
    renamed = view.people["edit_1"].astype(np.int64)
    changes = [renamed, view.company_archived]
    number = np.arange(len(view.created))
    frame = pd.DataFrame(
        {
            "company_id": id_texts(view.company_ids),
            "created_at": instants(view.company_created, view.now),
            "updated_at": instants(newest(view.company_created, changes, view.now), view.now),
            "archived_at": instants(view.company_archived, view.now),
            "name": [
                company_name(row, changed)
                for row, changed in enumerate((renamed <= view.now).tolist())
            ],
            "domain": [company_domain(row) for row in range(len(number))],
            "country": texts(
                COUNTRIES,
                np.where(view.people["is_american"], number % 2 + 3, number % 3),
            ),
            "owner_id": texts(owner_ids(), view.people["owner"]),
        }
    )
    return in_order(frame, view.company_created, view.company_created <= view.now)
