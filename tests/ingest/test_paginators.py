"""Paginators: every row once, whatever the sizes, and never for ever."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import Refused, Transient
from ingest.exchange import Page, Request
from ingest.paginators import BeforeLastRow, OnePage, PageNumber, TokenInBody, TokenInQuery, pages
from ingest.sources.crm.hubspot import AfterLastId

totals, sizes = st.integers(0, 60), st.integers(1, 12)


def page(rows, **envelope) -> Page:
    return Page(rows=[json.dumps({"id": str(row)}).encode() for row in rows], envelope=envelope)


def ids(found) -> list[int]:
    return [int(one.row(index)["id"]) for one in found for index in range(len(one.rows))]


def token_in_body(total, size):
    def fetch(request):
        start = int((request.body or {}).get("pageToken", 0))
        more = {"nextPageToken": str(start + size)} if start + size < total else {}
        return page(range(start, min(start + size, total)), **more)

    return (
        fetch,
        Request("POST", "/", body={"query": "q"}),
        TokenInBody("nextPageToken", "pageToken"),
    )


def token_in_query(total, size):
    def fetch(request):
        start = int(request.params.get("after", 0))
        more = {"paging": {"next": {"after": start + size}}} if start + size < total else {}
        return page(range(start, min(start + size, total)), **more)

    return fetch, Request("GET", "/"), TokenInQuery("paging.next.after", "after")


def page_number(total, size):
    def fetch(request):
        start = (int(request.params.get("page", 1)) - 1) * size
        return page(range(start, min(start + size, total)), page_count=-(-total // size))

    return fetch, Request("GET", "/"), PageNumber(total="page_count", sent="page")


def before_last_row(total, size):
    """Newest first; page_count describes what is left, this page included."""

    def fetch(request):
        left = int(request.params.get("before", total))
        return page(range(left - 1, max(left - size, 0) - 1, -1), page_count=-(-left // size))

    return fetch, Request("GET", "/"), BeforeLastRow("id", left="page_count", sent="before")


def after_last_id(total, size):
    def fetch(request):
        filters = request.body["filterGroups"][0]["filters"]
        (above,) = (one["value"] for one in filters if one["propertyName"] == "hs_object_id")
        assert {"propertyName": "modified"} in filters
        left = [number for number in range(1, total + 1) if number > int(above)]
        more = {"paging": {"next": {"after": str(size)}}} if len(left) > size else {}
        return page(left[:size], total=len(left), **more)

    first = {"propertyName": "hs_object_id", "operator": "GT", "value": "0"}
    body = {"filterGroups": [{"filters": [{"propertyName": "modified"}, first]}]}
    return fetch, Request("POST", "/", body=body), AfterLastId()


STYLES = {
    "a token in the body": token_in_body,
    "a token in the query": token_in_query,
    "page numbers": page_number,
    "before the last row": before_last_row,
    "after the last id": after_last_id,
}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
@given(total=totals, size=sizes)
def test_every_row_comes_once_in_the_fewest_calls(style, total, size):
    fetch, request, paginator = style(total, size)
    found = list(pages(fetch, request, paginator))
    assert len(ids(found)) == total
    assert len(set(ids(found))) == total
    assert len(found) == max(1, -(-total // size))


@given(
    total=st.integers(1, 60),
    size=sizes,
    leaving=st.lists(st.tuples(st.integers(1, 8), st.integers(1, 60)), max_size=5),
)
def test_objects_that_leave_a_search_meanwhile_hide_no_other(total, size, leaving):
    gone: set[int] = set()
    calls = 0

    def fetch(request):
        nonlocal calls
        calls += 1
        gone.update(number for at, number in leaving if at == calls)
        above = int(request.body["filterGroups"][0]["filters"][-1]["value"])
        left = [n for n in range(1, total + 1) if n > above and n not in gone]
        more = {"paging": {"next": {"after": str(size)}}} if len(left) > size else {}
        return page(left[:size], **more)

    _, request, paginator = after_last_id(total, size)
    found = ids(pages(fetch, request, paginator))
    assert len(found) == len(set(found))
    assert set(range(1, total + 1)) - gone <= set(found)


def test_a_repeated_token_is_an_error():
    fetch = iter([page([1], nextPageToken="a"), page([2], nextPageToken="a")]).__next__
    with pytest.raises(Transient, match="already read"):
        list(
            pages(
                lambda _: fetch(), Request("POST", "/", body={}), TokenInBody("nextPageToken", "t")
            )
        )


def test_tokens_that_go_in_a_circle_are_an_error():
    tokens = {None: "a", "a": "b", "b": "a"}
    rows = iter(range(9))

    def fetch(request):
        return page([next(rows)], nextPageToken=tokens[request.body.get("t")])

    with pytest.raises(Transient, match="already read"):
        list(pages(fetch, Request("POST", "/", body={}), TokenInBody("nextPageToken", "t")))


def test_a_repeated_page_under_new_tokens_is_an_error():
    numbers = iter(range(9))
    with pytest.raises(Transient, match="repeats the rows"):
        list(
            pages(
                lambda _: page([1, 2], nextPageToken=str(next(numbers))),
                Request("POST", "/", body={}),
                TokenInBody("nextPageToken", "t"),
            )
        )


def test_large_pages_are_known_by_some_of_their_rows_and_their_length():
    rows = list(range(10_000, 19_999))
    known = page(rows).fingerprint()
    assert page(list(rows)).fingerprint() == known
    for other in (rows[:-1], [*rows[:-1], 20_000], [*rows, 7], [0, *rows[1:]], rows[::-1]):
        assert page(other).fingerprint() != known
    assert page([row + 9_999 for row in rows]).fingerprint() != known


def test_empty_pages_may_follow_each_other():
    answers = iter([page([], nextPageToken="a"), page([], nextPageToken="b"), page([1])])
    found = pages(
        lambda _: next(answers), Request("POST", "/", body={}), TokenInBody("nextPageToken", "t")
    )
    assert ids(found) == [1]


def test_more_pages_than_the_cap_are_refused():
    fetch, request, paginator = token_in_body(100, 1)
    calls = []
    with pytest.raises(Refused, match="more than 5 pages"):
        list(pages(lambda one: calls.append(one) or fetch(one), request, paginator, most=5))
    assert len(calls) == 5
    assert len(list(pages(*token_in_body(5, 1), most=5))) == 5


def test_one_page_asks_no_further():
    assert OnePage().following(Request("GET", "/"), page([1], nextPageToken="a")) is None


def test_an_empty_page_in_a_search_hides_nothing():
    fetch, request, paginator = after_last_id(total=5, size=2)
    asked = []

    def with_an_empty_page(following):
        asked.append(following.body.get("after"))
        if len(asked) == 2:
            return page([], paging={"next": {"after": "00"}})
        return fetch(following)

    assert ids(pages(with_an_empty_page, request, paginator)) == [1, 2, 3, 4, 5]
    assert asked == [None, None, "00", None]


def test_an_empty_page_before_the_last_row_is_not_taken_for_the_end():
    _, request, paginator = before_last_row(total=5, size=2)
    with pytest.raises(Transient, match="is empty though 2 are left"):
        list(pages(lambda _: page([], page_count=2), request, paginator))
