"""Typeform: forms, completed responses by submission time, partial responses as a complete list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from boscard.clock import start_of_day
from ingest.api import Api
from ingest.budget import Limit
from ingest.exchange import Page, Reply, Request
from ingest.paginators import BeforeLastRow, OnePage, PageNumber, counted
from ingest.sources.survey.typeform_errors import RULES, explain
from ingest.stream import Column, Source, Stream

if TYPE_CHECKING:
    from ingest.pull import Pull

FORM_ROWS, RESPONSE_ROWS = 200, 1000
_SECOND = timedelta(seconds=1)


def pull_forms(pull: Pull) -> Iterator[Page]:
    """Each form in full: the list of forms does not say what they ask."""
    for listed in counted(_forms(pull), "total_items"):
        yield listed.without_rows()
        for form in _ids(listed):
            for page in pull.pages(Request("GET", f"/forms/{form}", rows=None), OnePage()):
                yield replace(page, told=0)


def pull_responses(pull: Pull) -> Iterator[Page]:
    """The responses of every form: those submitted in the window, or all that were not finished."""
    params = {"page_size": str(RESPONSE_ROWS), "response_type": "partial"}
    if pull.unit.window is not None:
        zone, window = pull.account.zone, pull.unit.window
        params |= {
            "response_type": "completed",
            "since": _second(start_of_day(window.start, zone)),
            "until": _second(start_of_day(window.end + timedelta(days=1), zone) - _SECOND),
        }
    for listed in _forms(pull):
        yield listed.without_rows()
        for form in _ids(listed):
            path = f"/forms/{form}/responses"
            request = Request("GET", path, params, rows="items", context={"form_id": form})
            paging = BeforeLastRow("token", left="page_count", sent="before")
            yield from counted(pull.pages(request, paging), "total_items")


def check(pull: Pull) -> Iterator[str]:
    """The list of forms can be read and is not empty."""
    for page in pull.pages(Request("GET", "/forms", {"page_size": "1"}, rows="items"), OnePage()):
        if not page.rows:
            yield "it has no form"


def is_expired(reply: Reply) -> bool:
    """An old token is answered with 401, or with 403 and the same code."""
    return reply.status == 401 or (
        reply.status == 403 and "AUTHENTICATION_FAILED" in explain(reply).codes
    )


def _forms(pull: Pull) -> Iterator[Page]:
    params = {"page": "1", "page_size": str(FORM_ROWS)}
    request = Request("GET", "/forms", params, rows="items")
    yield from pull.pages(request, PageNumber(total="page_count", sent="page"))


def _ids(page: Page) -> list[str]:
    return [page.text(index, "id") for index in range(len(page.rows))]


def _second(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_RESPONSE = (
    Column("form_id", "@form_id", "text", required=True),
    Column("response_token", "token", "text", required=True),
    Column("response_type", "response_type", "text"),
    Column("landed_at", "landed_at", "timestamp", required=True),
)

STREAMS = (
    Stream(
        name="forms",
        load="snapshot",
        key=("form_id",),
        columns=(
            Column("form_id", "id", "text", required=True),
            Column("title", "title", "text"),
            Column("fields", "fields", "json"),
            Column("hidden", "hidden", "json"),
        ),
        pull=pull_forms,
    ),
    Stream(
        name="responses",
        load="responses",
        key=("form_id", "response_token"),
        date_column="submitted_at",
        restatement_days=3,
        window_days=3660,
        columns=(
            *_RESPONSE,
            Column("submitted_at", "submitted_at", "timestamp", required=True),
            Column("contact_id", "hidden.contact_id", "text", names="contact"),
            Column("network_id", "metadata.network_id", "text", personal="text"),
            Column("answers", "answers", "json", kept=("field.id", "number")),
        ),
        remembered=("landed_at", "submitted_at", "contact_id", "answers"),
        pull=pull_responses,
    ),
    Stream(
        name="partial_responses",
        load="replace",
        key=("form_id", "response_token"),
        columns=_RESPONSE,
        remembered=("landed_at",),
        pull=pull_responses,
    ),
)

SOURCE = Source(
    name="typeform",
    title="Typeform",
    area="survey",
    base_url="https://api.typeform.com",
    streams={stream.name: stream for stream in STREAMS},
    concurrency=1,
    api=Api(
        rules=RULES,
        explain=explain,
        limits={"calls": Limit(2, 1.1)},
        token_url="/oauth/token",  # noqa: S106
        scope="forms:read responses:read offline",
        is_expired=is_expired,
        check=check,
    ),
)
