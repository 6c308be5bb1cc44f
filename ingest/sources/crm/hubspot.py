"""HubSpot CRM: lists on the first night, then searches by modification time and archive sweeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from boscard.clock import start_of_day
from ingest.api import Api
from ingest.budget import Limit
from ingest.exchange import Page, Request
from ingest.paginators import OnePage, TokenInQuery
from ingest.sources.crm.hubspot_errors import RULES, explain
from ingest.stream import Column, Source, Stream

if TYPE_CHECKING:
    from ingest.pull import Pull

SWEEP_DAYS = 7
LIST_ROWS, HISTORY_ROWS, SEARCH_ROWS, ASSOCIATION_ROWS = 100, 50, 200, 1000
SEARCH_LAG = timedelta(minutes=15)
PAGING = TokenInQuery("paging.next.after", "after")


def pull_objects(pull: Pull) -> Iterator[Page]:
    """Live objects, all or those changed since the window's first day, then all archived ones.

    The window has no upper end here: an object is fetched as it is now, and one changed on the
    window's last day and again this morning would fall between two nights.
    """
    if pull.is_from_the_start:
        yield from _listed(pull, archived=False)
    elif _histories(pull.stream):
        ids: list[str] = []
        for page in _changed(pull, properties=[]):
            ids += _ids(page)
            yield page.without_rows()
        yield from _read(pull, ids)
    else:
        yield from _changed(pull, _properties(pull.stream))
    yield from _listed(pull, archived=True)


def pull_ids(pull: Pull) -> Iterator[Page]:
    """The id of every live record: one deleted for good is in no other answer."""
    yield from _live_ids(pull, pull.stream.sweeps or "")


def pull_owners(pull: Pull) -> Iterator[Page]:
    """Owners, then those who have left: old deals still name them."""
    for archived in ("false", "true"):
        params = {"limit": str(LIST_ROWS), "archived": archived}
        yield from pull.pages(Request("GET", "/crm/v3/owners", params), PAGING)


def pull_pipelines(pull: Pull) -> Iterator[Page]:
    """The deal pipelines with their stages."""
    yield from pull.pages(Request("GET", "/crm/v3/pipelines/deals"), OnePage())


def pull_associations(pull: Pull) -> Iterator[Page]:
    """What every live deal is associated with.

    The ids come from a list of their own rather than from landed deals, so that this stream needs
    no other and misses no deal made tonight.
    """
    kind = pull.stream.name.removeprefix("deal_")
    ids: list[str] = []
    for page in _live_ids(pull, "deals"):
        ids += _ids(page)
        yield page.without_rows()
    for some in _parts(ids, ASSOCIATION_ROWS):
        yield from _associated(pull, kind, some)


def check(pull: Pull) -> Iterator[str]:
    """One row of everything, so that each permission is tried."""
    for path in ("objects/contacts", "objects/companies", "objects/deals", "owners"):
        for _ in pull.pages(Request("GET", f"/crm/v3/{path}", {"limit": "1"}), OnePage()):
            pass
    yield from ()


@dataclass(frozen=True, slots=True)
class AfterLastId:
    """Search pages by id: each asks for ids above the last one seen.

    So the vendor's cap of 10,000 results a query is never met, and an object that enters or leaves
    the results meanwhile shifts no page. A page without rows that is not the last has no last id:
    after it the vendor's own token is followed.
    """

    def following(self, request: Request, page: Page) -> Request | None:
        token = page.find("paging.next.after")
        if token is None:
            return None
        if not page.rows:
            return request.with_body(after=token)
        body = {name: value for name, value in (request.body or {}).items() if name != "after"}
        group = body["filterGroups"][0]
        filters = [one for one in group["filters"] if one["propertyName"] != "hs_object_id"]
        body["filterGroups"] = [{"filters": [*filters, _above(page.text(-1, "id"))]}]
        return replace(request, body=body)


def _above(object_id: str) -> dict[str, str]:
    return {"propertyName": "hs_object_id", "operator": "GT", "value": object_id}


def _live_ids(pull: Pull, name: str) -> Iterator[Page]:
    params = {"limit": str(LIST_ROWS), "properties": "hs_object_id", "archived": "false"}
    yield from pull.pages(Request("GET", f"/crm/v3/objects/{name}", params), PAGING)


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
            "filterGroups": [{"filters": [at_least, _above("0")]}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": [*properties, "hs_object_id"],
            "limit": SEARCH_ROWS,
        },
        budget="search",
    )
    yield from pull.pages(request, AfterLastId())


def _read(pull: Pull, ids: Sequence[str]) -> Iterator[Page]:
    """Objects by id with the histories that a search does not give; one archived meanwhile is
    missing here and comes with the archived ones."""
    for some in _parts(ids, HISTORY_ROWS):
        body = {
            "properties": _properties(pull.stream),
            "propertiesWithHistory": _histories(pull.stream),
            "inputs": [{"id": one} for one in some],
        }
        path = f"/crm/v3/objects/{pull.stream.name}/batch/read"
        yield from pull.pages(Request("POST", path, body=body), OnePage())


@dataclass(frozen=True, slots=True)
class MoreAssociations:
    """The rest of one deal's associations, whose row says after what to go on."""

    def following(self, request: Request, page: Page) -> Request | None:
        row = page.row(0) if page.rows else {}
        after = row.get("paging", {}).get("next", {}).get("after")
        return (
            request.with_body(inputs=[{"id": row["from"]["id"], "after": after}]) if after else None
        )


def _associated(pull: Pull, kind: str, ids: Sequence[str]) -> Iterator[Page]:
    """One row a deal.

    A deal with more associations than one answer holds is asked for again and its rows are joined:
    these are the only rows that do not land byte for byte.
    """
    path = f"/crm/v4/associations/deals/{kind}/batch/read"
    request = Request("POST", path, body={"inputs": [{"id": deal} for deal in ids]})
    for page in pull.pages(request, OnePage()):
        rows = list(page.rows)
        for index, row in enumerate(rows):
            if b'"paging"' not in bytes(row):
                continue
            whole = {**page.row(index), "to": []}
            only = request.with_body(inputs=[{"id": whole["from"]["id"]}])
            for more in pull.pages(only, MoreAssociations()):
                whole["to"] += [
                    one for part in map(more.row, range(len(more.rows))) for one in part["to"]
                ]
                yield more.without_rows()
            del whole["paging"]
            rows[index] = msgspec.json.encode(whole)
        yield replace(page, rows=rows)


def _parts(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _ids(page: Page) -> list[str]:
    return [page.text(index, "id") for index in range(len(page.rows))]


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
_ASSOCIATION = (
    Column("deal_id", "from.id", "text", required=True),
    Column("associated", "to", "json", required=True),
)


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
            Column("contact_id", "id", "text", required=True),
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
            Column("merged_contact_ids", "properties.hs_merged_object_ids", "text"),
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
        pull=pull_objects,
    ),
    Stream(
        name="deals",
        load="changes",
        key=("deal_id",),
        restatement_days=1,
        window_days=3660,
        columns=(
            Column("deal_id", "id", "text", required=True),
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
        pull=pull_objects,
    ),
    Stream(
        name="owners",
        load="snapshot",
        key=("owner_id",),
        columns=(
            Column("owner_id", "id", "text", required=True),
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
        columns=_ASSOCIATION,
        pull=pull_associations,
    ),
    Stream(
        name="deal_companies",
        load="replace",
        key=("deal_id",),
        columns=_ASSOCIATION,
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
