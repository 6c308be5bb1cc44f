"""Which landed rows are a person's: their own records, what names them, and nobody else's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from boscard.person import find
from ingest.batch import Unit, Window
from ingest.exchange import Page
from ingest.landing import Landing
from tests.warehouse.landed import land

DAY = date(2026, 11, 1)
EMAIL = "ada@post.example"


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def sent(landing: Landing, source: str, stream: str, *rows: Mapping[str, Any]) -> None:
    body = [json.dumps(row).encode() for row in rows]
    page = Page(
        rows=body,
        envelope={},
        method="GET",
        url="https://vendor.example/",
        status=200,
        bytes=1,
        sha256=hashlib.sha256(b"").hexdigest(),
        attempts=1,
        milliseconds=1,
    )
    landing.write(Unit(source, "1", stream, Window(DAY, DAY)), DAY, [page])


def contact(id_: str, email: str | None, merged: str | None = None) -> dict[str, Any]:
    return {"id": id_, "properties": {"email": email, "hs_merged_object_ids": merged}}


def lines(landing: Landing, email: str = EMAIL) -> dict[str, list[int]]:
    return {batch.manifest.stream: found for batch, found in find(landing, email).items()}


def test_own_records_under_any_spelling_and_nobody_elses(landing: Landing) -> None:
    sent(
        landing, "hubspot", "contacts",
        contact("1", " ADA@Post.example"), contact("2", "dr.ada@post.example"),
        contact("3", None), contact("1", "ada@old.example"), contact("11", "x@post.example"),
    )  # fmt: skip
    assert lines(landing) == {"contacts": [1, 4]}
    assert lines(landing, "nobody@post.example") == {}


def test_contacts_merged_into_one_are_one_person(landing: Landing) -> None:
    sent(
        landing, "hubspot", "contacts",
        contact("7", "ada@old.example"), contact("8", "b@post.example"),
        contact("9", EMAIL, "7;6"), contact("6", "ada@older.example"),
        contact("5", "c@x.example", "9"),
    )  # fmt: skip
    assert lines(landing) == {"contacts": [1, 3, 4, 5]}


def test_answers_and_deals_by_the_contacts_id_and_no_further(landing: Landing) -> None:
    sent(landing, "hubspot", "contacts", contact("5", EMAIL), contact("6", "b@post.example"))
    sent(
        landing, "typeform", "responses",
        {"token": "a", "hidden": {"contact_id": "5"}, "answers": [{"text": "me"}]},
        {"token": "b", "hidden": {"contact_id": "6"}, "answers": [{"text": "not me"}]},
        {"token": "c", "hidden": {}, "answers": [{"type": "email", "email": EMAIL}]},
    )  # fmt: skip
    sent(
        landing, "hubspot", "deal_contacts",
        {"from": {"id": "70"}, "to": [{"toObjectId": 5}, {"toObjectId": 6}]},
        {"from": {"id": "71"}, "to": [{"toObjectId": 6}]},
    )  # fmt: skip
    sent(
        landing, "hubspot", "deals",
        *({"id": id_, "properties": {"dealname": f"Deal {id_}"}} for id_ in ("70", "71", "5")),
    )  # fmt: skip
    found = lines(landing)
    assert found.pop("deal_contacts", None) in (None, [1])
    assert found == {"contacts": [1], "responses": [1, 3], "deals": [1]}


def test_an_owner_and_what_they_were_called_before(landing: Landing) -> None:
    sent(
        landing, "hubspot", "owners",
        {"id": "5", "email": EMAIL, "firstName": "Ada"},
        {"id": "6", "email": "b@post.example"},
        {"id": "5", "email": "ada@old.example", "firstName": "Ada"},
    )  # fmt: skip
    sent(landing, "hubspot", "contacts", contact("5", "somebody@else.example"))
    assert lines(landing) == {"owners": [1, 3]}


def test_typed_rows_tell_where_the_vendors_bytes_are_gone(landing: Landing) -> None:
    rows = [
        {"contact_id": "5", "email": "ADA@post.example"},
        {"contact_id": "6", "email": "b@post.example"},
        {"contact_id": "8", "email": None, "first_name": "Ada", "merged_contact_ids": "7;5"},
    ]
    batch = land(landing, "hubspot", "1", "contacts", rows, as_of=DAY, window=(DAY, DAY))
    landing.release(batch, datetime(2027, 1, 1, tzinfo=UTC))
    assert lines(landing) == {"contacts": [1, 3]}
