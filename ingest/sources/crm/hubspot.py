"""HubSpot CRM: lists on the first night, then searches by modification time and archive sweeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from boscard.clock import start_of_day
from ingest.api import Api
from ingest.budget import Limit
from ingest.exchange import Page, Request
from ingest.paginators import OnePage, counted
from ingest.sources.crm.hubspot_associations import pull_associations
from ingest.sources.crm.hubspot_errors import RULES, explain
from ingest.sources.crm.hubspot_lists import (
    LIST_ROWS,
    PAGING,
    AfterLastId,
    above,
    ids_of,
    live_ids,
    parts,
    told_by_search,
)
from ingest.stream import Column, Source, Stream

if TYPE_CHECKING:
    from ingest.pull import Pull

SWEEP_DAYS = 7
HISTORY_ROWS, SEARCH_ROWS = 50, 200
SEARCH_LAG = timedelta(minutes=15)


def pull_objects(pull: Pull) -> Iterator[Page]:
    """Live objects, all or those changed since the window's first day, then all archived ones.

    The window has no upper end here: an object is fetched as it is now, and one changed on the
    window's last day and again this morning would fall between two nights.
    """
    if pull.is_from_the_start:
        yield from told_by_search(pull, pull.stream.name, _listed(pull, archived=False))
    elif _histories(pull.stream):
        ids: list[str] = []
        for page in _changed(pull, properties=[]):
            ids += ids_of(page)
            yield page.without_rows()
        yield from _read(pull, ids)
    else:
        yield from _changed(pull, _properties(pull.stream))
    yield from _listed(pull, archived=True)


def pull_ids(pull: Pull) -> Iterator[Page]:
    """The id of every live record: one deleted for good is in no other answer."""
    name = pull.stream.sweeps or ""
    yield from told_by_search(pull, name, live_ids(pull, name))


def pull_owners(pull: Pull) -> Iterator[Page]:
    """Owners, then those who have left: old deals still name them."""
    for archived in ("false", "true"):
        params = {"limit": str(LIST_ROWS), "archived": archived}
        yield from pull.pages(Request("GET", "/crm/v3/owners", params), PAGING)


def pull_pipelines(pull: Pull) -> Iterator[Page]:
    """The deal pipelines with their stages."""
    yield from pull.pages(Request("GET", "/crm/v3/pipelines/deals"), OnePage())


def check(pull: Pull) -> Iterator[str]:
    """One row of everything, so that each permission is tried."""
    for path in ("objects/contacts", "objects/companies", "objects/deals", "owners"):
        for _ in pull.pages(Request("GET", f"/crm/v3/{path}", {"limit": "1"}), OnePage()):
            pass
    yield from ()


def _listed(pull: Pull, *, archived: bool) -> Iterator[Page]:
    histories = _histories(pull.stream)
    params = {
        "limit": str(HISTORY_ROWS if histories else LIST_ROWS),
        "properties": ",".join(_properties(pull.stream)),
        "archived": "true" if archived else "false",
    }
    if histories:
        params["propertiesWithHistory"] = ",".join(histories)
    path = f"/crm/v3/objects/{pull.stream.name}"
    yield from pull.pages(Request("GET", path, params), PAGING)


def _changed(pull: Pull, properties: Sequence[str]) -> Iterator[Page]:
    modified = "lastmodifieddate" if pull.stream.name == "contacts" else "hs_lastmodifieddate"
    since = start_of_day(pull.window.start, pull.account.zone) - SEARCH_LAG
    at_least = {
        "propertyName": modified,
        "operator": "GTE",
        "value": str(int(since.timestamp() * 1000)),
    }
    request = Request(
        "POST",
        f"/crm/v3/objects/{pull.stream.name}/search",
        body={
            "filterGroups": [{"filters": [at_least, above("0")]}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": [*properties, "hs_object_id"],
            "limit": SEARCH_ROWS,
        },
        budget="search",
    )
    yield from counted(pull.pages(request, AfterLastId()), "total")


def _read(pull: Pull, ids: Sequence[str]) -> Iterator[Page]:
    """Objects by id with the histories that a search does not give; one archived meanwhile is
    missing here and comes with the archived ones."""
    for some in parts(ids, HISTORY_ROWS):
        body = {
            "properties": _properties(pull.stream),
            "propertiesWithHistory": _histories(pull.stream),
            "inputs": [{"id": one} for one in some],
        }
        path = f"/crm/v3/objects/{pull.stream.name}/batch/read"
        for page in pull.pages(Request("POST", path, body=body), OnePage()):
            yield replace(page, told=0)


def _properties(stream: Stream) -> list[str]:
    return [
        column.path.removeprefix("properties.")
        for column in stream.columns
        if column.path.startswith("properties.")
    ]


def _histories(stream: Stream) -> list[str]:
    return [
        column.path.removeprefix("propertiesWithHistory.")
        for column in stream.columns
        if column.path.startswith("propertiesWithHistory.")
    ]


_OBJECT = (
    Column("created_at", "createdAt", "timestamp", required=True),
    Column("updated_at", "updatedAt", "timestamp", required=True),
    Column("is_archived", "archived", "boolean", required=True),
    Column("archived_at", "archivedAt", "timestamp"),
)
_DEAL = Column("deal_id", "from.id", "text", required=True, names="deal")


def _sweep(name: str, singular: str) -> Stream:
    key = f"{singular}_id"
    return Stream(
        name=f"{singular}_ids",
        load="snapshot",
        key=(key,),
        columns=(Column(key, "id", "text", required=True),),
        pull=pull_ids,
        every_days=SWEEP_DAYS,
        sweeps=name,
    )


STREAMS = (
    Stream(
        name="contacts",
        load="changes",
        key=("contact_id",),
        restatement_days=1,
        window_days=3660,
        columns=(
            Column("contact_id", "id", "text", required=True, names="contact"),
            *_OBJECT,
            Column("email", "properties.email", "text", personal="email"),
            Column("first_name", "properties.firstname", "text", personal="text"),
            Column("last_name", "properties.lastname", "text", personal="text"),
            Column("lifecycle_stage", "properties.lifecyclestage", "text"),
            Column("lead_at", "properties.hs_lifecyclestage_lead_date", "timestamp"),
            Column(
                "marketing_qualified_at",
                "properties.hs_lifecyclestage_marketingqualifiedlead_date",
                "timestamp",
            ),
            Column(
                "sales_qualified_at",
                "properties.hs_lifecyclestage_salesqualifiedlead_date",
                "timestamp",
            ),
            Column("opportunity_at", "properties.hs_lifecyclestage_opportunity_date", "timestamp"),
            Column("customer_at", "properties.hs_lifecyclestage_customer_date", "timestamp"),
            Column("first_engaged_at", "properties.hs_sa_first_engagement_date", "timestamp"),
            Column("analytics_source", "properties.hs_analytics_source", "text"),
            Column("utm_campaign", "properties.utm_campaign", "text"),
            Column("google_click_id", "properties.hs_google_click_id", "text", personal="text"),
            Column("owner_id", "properties.hubspot_owner_id", "text"),
            Column(
                "merged_contact_ids", "properties.hs_merged_object_ids", "text", names="contact"
            ),
        ),
        remembered=(
            "created_at",
            "is_archived",
            "analytics_source",
            "marketing_qualified_at",
            "sales_qualified_at",
            "opportunity_at",
            "customer_at",
        ),
        pull=pull_objects,
    ),
    Stream(
        name="companies",
        load="changes",
        key=("company_id",),
        restatement_days=1,
        window_days=3660,
        columns=(
            Column("company_id", "id", "text", required=True),
            *_OBJECT,
            Column("name", "properties.name", "text"),
            Column("domain", "properties.domain", "text"),
            Column("country", "properties.country", "text"),
            Column("owner_id", "properties.hubspot_owner_id", "text"),
        ),
        remembered=("is_archived",),
        pull=pull_objects,
    ),
    Stream(
        name="deals",
        load="changes",
        key=("deal_id",),
        restatement_days=1,
        window_days=3660,
        columns=(
            Column("deal_id", "id", "text", required=True, names="deal"),
            *_OBJECT,
            Column("deal_name", "properties.dealname", "text", personal="text"),
            Column("pipeline_id", "properties.pipeline", "text"),
            Column("stage_id", "properties.dealstage", "text", required=True),
            Column("amount", "properties.amount", "decimal"),
            Column("currency_code", "properties.deal_currency_code", "text"),
            Column("created_date", "properties.createdate", "timestamp", required=True),
            Column("close_date", "properties.closedate", "timestamp"),
            Column("deal_type", "properties.dealtype", "text"),
            Column("owner_id", "properties.hubspot_owner_id", "text"),
            Column(
                "stage_history",
                "propertiesWithHistory.dealstage",
                "json",
                kept=("value", "timestamp"),
            ),
        ),
        remembered=(
            "is_archived",
            "stage_id",
            "amount",
            "currency_code",
            "created_date",
            "close_date",
            "stage_history",
        ),
        pull=pull_objects,
    ),
    Stream(
        name="owners",
        load="snapshot",
        key=("owner_id",),
        columns=(
            Column("owner_id", "id", "text", required=True, names="owner"),
            Column("email", "email", "text", personal="email"),
            Column("first_name", "firstName", "text", personal="text"),
            Column("last_name", "lastName", "text", personal="text"),
            Column("is_archived", "archived", "boolean"),
        ),
        pull=pull_owners,
    ),
    Stream(
        name="pipelines",
        load="snapshot",
        key=("pipeline_id",),
        columns=(
            Column("pipeline_id", "id", "text", required=True),
            Column("label", "label", "text"),
            Column("stages", "stages", "json", required=True),
        ),
        pull=pull_pipelines,
    ),
    Stream(
        name="deal_contacts",
        load="replace",
        key=("deal_id",),
        columns=(_DEAL, Column("associated", "to", "json", required=True, names="contact")),
        pull=pull_associations,
    ),
    Stream(
        name="deal_companies",
        load="replace",
        key=("deal_id",),
        columns=(_DEAL, Column("associated", "to", "json", required=True)),
        remembered=("associated",),
        pull=pull_associations,
    ),
    _sweep("contacts", "contact"),
    _sweep("companies", "company"),
    _sweep("deals", "deal"),
)

SOURCE = Source(
    name="hubspot",
    title="HubSpot",
    area="crm",
    base_url="https://api.hubapi.com",
    streams={stream.name: stream for stream in STREAMS},
    concurrency=2,
    api=Api(
        rules=RULES,
        explain=explain,
        limits={"calls": Limit(95, 10.0), "search": Limit(4, 1.0)},
        token_url="/oauth/v1/token",  # noqa: S106
        check=check,
    ),
    account_pattern="[0-9]+",
    account_words="the portal id (Hub ID), digits only, such as '24601001'",
)
