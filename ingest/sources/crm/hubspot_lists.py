"""HubSpot's lists and searches of objects, and how many the vendor says there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ingest.exchange import Page, Request
from ingest.paginators import OnePage, TokenInQuery, counted

if TYPE_CHECKING:
    from ingest.pull import Pull

LIST_ROWS = 100
PAGING = TokenInQuery("paging.next.after", "after")


def live_ids(pull: Pull, name: str) -> Iterator[Page]:
    """The ids of all live objects of one kind."""
    params = {"limit": str(LIST_ROWS), "properties": "hs_object_id", "archived": "false"}
    yield from pull.pages(Request("GET", f"/crm/v3/objects/{name}", params), PAGING)


def told_by_search(pull: Pull, name: str, listed: Iterator[Page]) -> Iterator[Page]:
    """A list of all live objects after one search for any: a list does not say how long it is."""
    body = {
        "filterGroups": [{"filters": [above("0")]}],
        "properties": ["hs_object_id"],
        "limit": 1,
    }
    search = Request("POST", f"/crm/v3/objects/{name}/search", body=body, budget="search")
    for page in counted(pull.pages(search, OnePage()), "total"):
        yield page.without_rows()
    for page in listed:
        yield replace(page, told=0)


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
        body["filterGroups"] = [{"filters": [*filters, above(page.text(-1, "id"))]}]
        return replace(request, body=body)


def above(object_id: str) -> dict[str, str]:
    """The search filter for objects after this one."""
    return {"propertyName": "hs_object_id", "operator": "GT", "value": object_id}


def parts(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The ids in parts of at most `size`."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def ids_of(page: Page) -> list[str]:
    return [page.text(index, "id") for index in range(len(page.rows))]
