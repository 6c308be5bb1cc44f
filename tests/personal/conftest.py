"""A night whose people bear a mark: rows are set aside in it, a batch is held, a vendor fails."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from boscard.night import Night
from sandbox.company import Company
from sandbox.snapshot import Snapshot
from sandbox.tokens import Denial, Granted, Tokens
from sandbox.typeform_records import Response
from tests.end_to_end.nights import Installation, installed, small_settings

MARK = "qz7persona"
START, FIRST, SECOND = date(2026, 10, 10), date(2026, 10, 29), date(2026, 10, 30)
FAULTS: tuple[dict[str, Any], ...] = (
    # rows set aside, of which examples are kept
    {"vendor": "hubspot", "fault": "impossible_date", "match": "contacts"},
    {"vendor": "hubspot", "fault": "wrong_value", "match": "contacts", "field": "properties"},
    {"vendor": "typeform", "fault": "score_out_of_range"},
    # a batch held whole, of which people are told
    {"vendor": "hubspot", "fault": "renamed_field", "match": "deals"},
    # pages that are asked for again, one with another token, one without end
    {"vendor": "typeform", "fault": "expire_token"},
    {"vendor": "google_ads", "fault": "server_error"},
    {"vendor": "hubspot", "fault": "invalid_utf8", "match": "companies", "times": None},
)


class MarkedCompany(Company):
    """The same company; what is of a person in it can be told from all other text."""

    def _look(self, now: Any) -> Snapshot:
        seen = super()._look(now)
        contacts, owners, deals, answers = (
            frame.copy() for frame in (seen.contacts, seen.owners, seen.deals, seen.responses)
        )
        for people, key in ((contacts, "contact_id"), (owners, "owner_id")):
            people["first_name"] = "Given" + MARK + people[key]
            people["last_name"] = "Family" + MARK + people[key]
            _mark(people, "email", "Mail" + MARK + people[key] + "@post.example")
        _mark(contacts, "google_click_id", "Click" + MARK + contacts["contact_id"])
        deals["name"] = "Deal with " + MARK + deals["deal_id"]
        _mark(answers, "comment", "Call me: " + MARK + answers["token"])
        return replace(seen, contacts=contacts, owners=owners, deals=deals, responses=answers)


def _mark(frame: pd.DataFrame, column: str, values: pd.Series) -> None:
    """Where there is a value, it is a marked one from now on."""
    frame[column] = values.astype(object).where(frame[column].notna(), None)


@dataclass(slots=True)
class Lived:
    """An installation after its nights, and every secret that was used in them."""

    installation: Installation
    tokens: set[str] = field(default_factory=set)


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """A night that is loaded, and one with faults that is published; logged as fully as can be."""
    settings = small_settings(START, 0.1)
    company = MarkedCompany(settings.sandbox.seed, START, 0.1, settings.company.time_zone)
    root = tmp_path_factory.mktemp("personal")
    with pytest.MonkeyPatch.context() as patch, installed(root, settings, company) as ready:
        one = Lived(ready)
        _record_tokens(patch, one.tokens)
        _mark_networks(patch)
        patch.setattr("os.fsync", lambda _: None)
        with _everything_said(ready.home.logs):
            first = ready.night(FIRST)
            ready.ingest(first)
            first.load()
            for fault in FAULTS:
                ready.sandbox.faults.add(fault)
            _live(ready.night(SECOND), ready)
        yield one


def _live(night: Night, installation: Installation) -> None:
    installation.ingest(night)
    installation.publish(night)
    night.page()
    night.tell()
    for complaint in night.complaints():
        logging.getLogger("night").info(complaint)


def _record_tokens(patch: pytest.MonkeyPatch, tokens: set[str]) -> None:
    refresh = Tokens.refresh

    def recorded(self: Tokens, form: Any) -> Granted | Denial:
        granted = refresh(self, form)
        tokens.add(form.get("refresh_token", ""))
        if isinstance(granted, Granted):
            tokens.update((granted.access_token, granted.refresh_token))
        return granted

    patch.setattr(Tokens, "refresh", recorded)


def _mark_networks(patch: pytest.MonkeyPatch) -> None:
    content = Response.content

    def marked(self: Response) -> dict[str, Any]:
        found = content(self)
        found["metadata"]["network_id"] = f"Net{MARK}{self.token[:6]}"
        return found

    patch.setattr(Response, "content", marked)


@contextmanager
def _everything_said(logs: Path) -> Iterator[None]:
    """All log records of all libraries, standard output and error, as a file among the logs."""
    logs.mkdir(parents=True, exist_ok=True)
    root = logging.getLogger()
    level = root.level
    with (logs / "said.log").open("w", encoding="utf-8") as file:
        handler = logging.StreamHandler(file)
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            with redirect_stdout(file), redirect_stderr(file):
                yield
        finally:
            root.setLevel(level)
            root.removeHandler(handler)
