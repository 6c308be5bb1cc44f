"""HubSpot's records as the vendor keeps them: every property text or null, with history and
associations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from sandbox.snapshot import STAGE_PROBABILITIES, STAGES, Snapshot

Kind = Literal["datetime", "string", "number", "enumeration"]
CLEARED = 5  # a text property of every fifth record was cleared by hand: empty text instead of null
LIFECYCLE = (
    ("lead", "hs_lifecyclestage_lead_date"),
    ("marketingqualifiedlead", "hs_lifecyclestage_marketingqualifiedlead_date"),
    ("salesqualifiedlead", "hs_lifecyclestage_salesqualifiedlead_date"),
    ("opportunity", "hs_lifecyclestage_opportunity_date"),
    ("customer", "hs_lifecyclestage_customer_date"),
)
ASSOCIATION_TYPES = {
    ("deals", "contacts"): 3,
    ("contacts", "deals"): 4,
    ("deals", "companies"): 341,
    ("companies", "deals"): 342,
}
STAGE_LABELS = (
    *("Appointment scheduled", "Qualified to buy", "Presentation scheduled", "Contract sent"),
    *("Closed won", "Closed lost"),
)


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One kind of record: its names, the property that says when it changed, and where properties
    come from.

    `properties` maps a property to its column in the snapshot and its kind.
    """

    name: str
    singular: str
    id_column: str
    modified: str
    defaults: tuple[str, ...]
    properties: Mapping[str, tuple[str, Kind]]


TYPES: dict[str, ObjectType] = {
    "contacts": ObjectType(
        name="contacts",
        singular="contact",
        id_column="contact_id",
        modified="lastmodifieddate",
        defaults=(
            "createdate",
            "email",
            "firstname",
            "hs_object_id",
            "lastmodifieddate",
            "lastname",
        ),
        properties={
            "createdate": ("created_at", "datetime"),
            "lastmodifieddate": ("updated_at", "datetime"),
            "hs_object_id": ("contact_id", "number"),
            "email": ("email", "string"),
            "firstname": ("first_name", "string"),
            "lastname": ("last_name", "string"),
            "lifecyclestage": ("lifecycle_stage", "enumeration"),
            "hs_lifecyclestage_lead_date": ("lead_at", "datetime"),
            "hs_lifecyclestage_marketingqualifiedlead_date": ("mql_at", "datetime"),
            "hs_lifecyclestage_salesqualifiedlead_date": ("sql_at", "datetime"),
            "hs_lifecyclestage_opportunity_date": ("opportunity_at", "datetime"),
            "hs_lifecyclestage_customer_date": ("customer_at", "datetime"),
            "hs_sa_first_engagement_date": ("first_engaged_at", "datetime"),
            "hs_analytics_source": ("analytics_source", "enumeration"),
            "utm_campaign": ("utm_campaign", "string"),
            "utm_source": ("utm_source", "string"),
            "hs_google_click_id": ("google_click_id", "string"),
            "hubspot_owner_id": ("owner_id", "enumeration"),
            "hs_merged_object_ids": ("merged_ids", "enumeration"),
        },
    ),
    "companies": ObjectType(
        name="companies",
        singular="company",
        id_column="company_id",
        modified="hs_lastmodifieddate",
        defaults=("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
        properties={
            "createdate": ("created_at", "datetime"),
            "hs_lastmodifieddate": ("updated_at", "datetime"),
            "hs_object_id": ("company_id", "number"),
            "name": ("name", "string"),
            "domain": ("domain", "string"),
            "country": ("country", "string"),
            "hubspot_owner_id": ("owner_id", "enumeration"),
        },
    ),
    "deals": ObjectType(
        name="deals",
        singular="deal",
        id_column="deal_id",
        modified="hs_lastmodifieddate",
        defaults=(
            *("amount", "closedate", "createdate", "dealname", "dealstage", "hs_lastmodifieddate"),
            *("hs_object_id", "pipeline"),
        ),
        properties={
            "createdate": ("created_at", "datetime"),
            "hs_lastmodifieddate": ("updated_at", "datetime"),
            "hs_object_id": ("deal_id", "number"),
            "dealname": ("name", "string"),
            "pipeline": ("pipeline_id", "enumeration"),
            "dealstage": ("stage_id", "enumeration"),
            "amount": ("amount", "number"),
            "deal_currency_code": ("currency_code", "enumeration"),
            "closedate": ("close_at", "datetime"),
            "dealtype": ("deal_type", "enumeration"),
            "hubspot_owner_id": ("owner_id", "enumeration"),
        },
    ),
}


@dataclass(slots=True)
class Records:
    """All records of one type at one instant, by ascending id. `moments` are datetimes as epoch
    milliseconds.
    """

    kind: ObjectType
    ids: np.ndarray
    is_archived: np.ndarray
    archived_at: list[str | None]
    texts: dict[str, list[str | None]]
    moments: dict[str, np.ndarray]
    histories: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _places: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._places = {number: place for place, number in enumerate(self.ids.tolist())}

    def place(self, record_id: str) -> int | None:
        """Where the record with this id is, None when there is none."""
        return self._places.get(int(record_id)) if record_id.isdigit() else None

    def row(
        self, place: int, properties: Iterable[str], with_history: Sequence[str] = ()
    ) -> dict[str, Any]:
        """One record as JSON content: only the properties asked for, unknown ones left out."""
        chosen = sorted(name for name in {*properties, *with_history} if name in self.texts)
        record_id = str(self.ids[place])
        row: dict[str, Any] = {
            "id": record_id,
            "properties": {name: self.texts[name][place] for name in chosen},
        }
        if with_history:
            row["propertiesWithHistory"] = {
                name: self._history(place, name) for name in with_history if name in self.texts
            }
        row["createdAt"] = self.texts["createdate"][place]
        row["updatedAt"] = self.texts[self.kind.modified][place]
        row["archived"] = bool(self.is_archived[place])
        if row["archived"]:
            row["archivedAt"] = self.archived_at[place]
        return row

    def _history(self, place: int, name: str) -> list[dict[str, Any]]:
        """The values a property had, newest first."""
        if name == "dealstage":
            return self.histories.get(str(self.ids[place]), [])
        if name == "lifecyclestage":
            entered = [(stage, self.texts[source][place]) for stage, source in LIFECYCLE]
            found = sorted(((at, stage) for stage, at in entered if at), reverse=True)
            return [_version(stage, at, "CRM_UI") for at, stage in found]
        value = self.texts[name][place]
        return [_version(value, str(self.texts["createdate"][place]), "CRM_UI")] if value else []


class Crm:
    """One snapshot's records, associations, owners and pipelines."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        people = snapshot.contacts[snapshot.contacts["gone_at"].isna()]
        self.records = {
            "contacts": _records(TYPES["contacts"], people),
            "companies": _records(TYPES["companies"], snapshot.companies),
            "deals": _records(TYPES["deals"], snapshot.deals),
        }
        self.records["deals"].histories = _stage_histories(snapshot.deal_stage_history)
        pairs = {
            ("deals", "contacts"): (snapshot.deal_contacts, "deal_id", "contact_id"),
            ("deals", "companies"): (snapshot.deal_companies, "deal_id", "company_id"),
            ("contacts", "deals"): (snapshot.deal_contacts, "contact_id", "deal_id"),
            ("companies", "deals"): (snapshot.deal_companies, "company_id", "deal_id"),
        }
        self.associations = {pair: _associations(*source) for pair, source in pairs.items()}
        self.owners = [
            _owner(row) for row in snapshot.owners.sort_values("owner_id").to_dict("records")
        ]

    def associated(self, of: str, to: str, record_id: str) -> list[int]:
        """Ids of live records of type `to` that a record is associated with, ascending."""
        others = self.records[to]
        found = []
        for number in self.associations.get((of, to), {}).get(record_id, []):
            place = others.place(str(number))
            if place is not None and not others.is_archived[place]:
                found.append(number)
        return found


def stamps(column: pd.Series) -> tuple[list[str | None], np.ndarray]:
    """Instants as HubSpot writes them (UTC, milliseconds, Z; None when not set), and as epoch
    milliseconds.
    """
    values = (
        pd.to_datetime(column, utc=True).dt.tz_localize(None).to_numpy().astype("datetime64[ms]")
    )
    known = ~np.isnat(values)
    texts = np.full(len(values), None, dtype=object)
    texts[known] = np.char.add(np.datetime_as_string(values[known], unit="ms"), "Z")
    return texts.tolist(), np.where(known, values.astype(np.int64), np.iinfo(np.int64).min)


def _records(kind: ObjectType, frame: pd.DataFrame) -> Records:
    ids = frame[kind.id_column].astype("int64").to_numpy()
    frame = frame.iloc[np.argsort(ids, kind="stable")]
    ids = np.sort(ids, kind="stable")
    texts: dict[str, list[str | None]] = {}
    moments: dict[str, np.ndarray] = {}
    for name, (source, sort) in kind.properties.items():
        if sort == "datetime":
            texts[name], moments[name] = stamps(frame[source])
        else:
            texts[name] = [
                str(value) if isinstance(value, str) else ("" if number % CLEARED == 0 else None)
                for value, number in zip(frame[source].tolist(), ids.tolist(), strict=True)
            ]
    archived, _ = stamps(frame["archived_at"])
    return Records(
        kind=kind,
        ids=ids,
        is_archived=frame["archived_at"].notna().to_numpy(),
        archived_at=archived,
        texts=texts,
        moments=moments,
    )


def _stage_histories(frame: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    ordered = frame.assign(text=np.array(stamps(frame["at"])[0], dtype=object)).sort_values(
        "at", ascending=False, kind="stable"
    )
    for deal_id, stage, at in zip(
        ordered["deal_id"], ordered["stage_id"], ordered["text"], strict=True
    ):
        found.setdefault(str(deal_id), []).append(_version(str(stage), str(at), "CRM_UI"))
    return found


def _version(value: str, at: str, source: str) -> dict[str, Any]:
    return {
        "value": value,
        "timestamp": at,
        "sourceType": source,
        "sourceId": "userId:9586504",
        "updatedByUserId": 9586504,
    }


def _associations(frame: pd.DataFrame, of: str, to: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for one, other in zip(frame[of].tolist(), frame[to].tolist(), strict=True):
        found.setdefault(str(one), []).append(int(other))
    return {one: sorted(others) for one, others in found.items()}


def _owner(row: Mapping[Any, Any]) -> dict[str, Any]:
    created, updated = stamps(pd.Series([row["created_at"], row["updated_at"]]))[0]
    is_archived = bool(row["is_archived"])
    user_id = int(row["user_id"])
    owner = {
        "id": str(row["owner_id"]),
        "email": row["email"],
        "type": "PERSON",
        "firstName": row["first_name"],
        "lastName": row["last_name"],
        "userIdIncludingInactive": user_id,
        "createdAt": created,
        "updatedAt": updated,
        "archived": is_archived,
    }
    if not is_archived:
        owner["userId"] = user_id
    if isinstance(row["team"], str):
        team_id = str(100 + sum(row["team"].encode()) % 900)
        owner["teams"] = [{"id": team_id, "name": row["team"], "primary": True}]
    return owner


def pipelines(created_at: str) -> list[dict[str, Any]]:
    """The deal pipelines; a stage's metadata values are text."""
    stages = [
        {
            "id": stage,
            "label": label,
            "displayOrder": order,
            "metadata": {
                "isClosed": "true" if stage.startswith("closed") else "false",
                "probability": probability,
            },
            "createdAt": created_at,
            "updatedAt": created_at,
            "archived": False,
        }
        for order, (stage, label, probability) in enumerate(
            zip(STAGES, STAGE_LABELS, STAGE_PROBABILITIES, strict=True)
        )
    ]
    return [
        {
            "id": "default",
            "label": "Sales pipeline",
            "displayOrder": 0,
            "stages": stages,
            "createdAt": created_at,
            "updatedAt": created_at,
            "archived": False,
        }
    ]
