"""From a request and its page to the next request, in a loop that cannot run forever."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from ingest.errors import Refused, Transient
from ingest.exchange import Page, Request

MOST_PAGES = 20_000


class Paginator(Protocol):
    def following(self, request: Request, page: Page) -> Request | None:
        """The request for the page after this one, or None after the last."""
        ...


def pages(
    fetch: Callable[[Request], Page],
    request: Request,
    paginator: Paginator,
    most: int = MOST_PAGES,
) -> Iterator[Page]:
    """All pages of a request.

    Raises Transient where the vendor repeats a page or a page token, Refused after `most` pages.
    """
    asked = {request.identity}
    got: set[int] = set()
    following: Request | None = request
    while following is not None:
        page = fetch(following)
        if page.rows:
            fingerprint = page.fingerprint()
            if fingerprint in got:
                raise Transient(f"page {len(asked)} of {page.url} repeats the rows of another page")
            got.add(fingerprint)
        yield page
        following = paginator.following(following, page)
        if following is None:
            return
        if following.identity in asked:
            raise Transient(f"page {len(asked)} of {page.url} names a page that was already read")
        if len(asked) >= most:
            raise Refused(
                f"{page.url} has more than {most} pages",
                "shorten the stream's window_days, or raise the cap if that much data is right",
            )
        asked.add(following.identity)


def counted(found: Iterable[Page], total: str) -> Iterator[Page]:
    """The pages of one query; the envelope of the first says at `total` how many rows they hold."""
    for number, page in enumerate(found):
        rows = page.find(total) if number == 0 else 0
        yield replace(page, told=rows if isinstance(rows, int) else None)


@dataclass(frozen=True, slots=True)
class OnePage:
    """Everything comes at once."""

    def following(self, request: Request, page: Page) -> Request | None:
        return None


@dataclass(frozen=True, slots=True)
class TokenInBody:
    """A token in the envelope goes into the next request's JSON body."""

    found: str
    sent: str

    def following(self, request: Request, page: Page) -> Request | None:
        token = page.find(self.found)
        return request.with_body(**{self.sent: token}) if token else None


@dataclass(frozen=True, slots=True)
class TokenInQuery:
    """A token in the envelope goes into the next request's query string."""

    found: str
    sent: str

    def following(self, request: Request, page: Page) -> Request | None:
        token = page.find(self.found)
        return request.with_params(**{self.sent: str(token)}) if token else None


@dataclass(frozen=True, slots=True)
class PageNumber:
    """Numbered pages from 1; the envelope says how many there are."""

    total: str
    sent: str

    def following(self, request: Request, page: Page) -> Request | None:
        number = int(request.params.get(self.sent, "1"))
        if number >= int(page.find(self.total) or 0):
            return None
        return request.with_params(**{self.sent: str(number + 1)})


@dataclass(frozen=True, slots=True)
class BeforeLastRow:
    """Newest first: the last row's key asks for what came before it.

    The envelope counts the pages that are left, this one included. Raises Transient for a page
    without rows that is not the last: nothing says what comes before it.
    """

    key: str
    left: str
    sent: str

    def following(self, request: Request, page: Page) -> Request | None:
        left = int(page.find(self.left) or 0)
        if not page.rows and left > 0:
            raise Transient(f"a page of {page.url} is empty though {left} are left")
        if left <= 1:
            return None
        return request.with_params(**{self.sent: page.text(-1, self.key)})
