"""Typeform: forms, completed responses by submission time, partial responses as a complete list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingest.stream import Column, Source, Stream

if TYPE_CHECKING:
    from ingest.client import Page
    from ingest.pull import Pull


def pull_forms(pull: Pull) -> Iterator[Page]:
    raise NotImplementedError


def pull_responses(pull: Pull) -> Iterator[Page]:
    raise NotImplementedError


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
            Column("contact_id", "hidden.contact_id", "text"),
            Column("network_id", "metadata.network_id", "text", personal=True),
            Column("answers", "answers", "json"),
        ),
        pull=pull_responses,
    ),
    Stream(
        name="partial_responses",
        load="replace",
        key=("form_id", "response_token"),
        columns=_RESPONSE,
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
)
