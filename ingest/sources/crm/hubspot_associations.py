"""What each HubSpot deal is associated with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from ingest.exchange import Page, Request
from ingest.paginators import OnePage
from ingest.sources.crm.hubspot_lists import ids_of, live_ids, parts

if TYPE_CHECKING:
    from ingest.pull import Pull

ASSOCIATION_ROWS = 1000


def pull_associations(pull: Pull) -> Iterator[Page]:
    """What every live deal is associated with.

    The ids come from a list of their own rather than from landed deals, so that this stream needs
    no other and misses no deal made tonight.
    """
    kind = pull.stream.name.removeprefix("deal_")
    ids: list[str] = []
    for page in live_ids(pull, "deals"):
        ids += ids_of(page)
        yield page.without_rows()
    for some in parts(ids, ASSOCIATION_ROWS):
        yield from _associated(pull, kind, some)


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
