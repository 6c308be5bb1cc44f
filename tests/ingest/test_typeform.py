"""Typeform against a small vendor: forms, pages from the newest back, days of the account."""

from __future__ import annotations

import json
from datetime import date

import pytest

from ingest.batch import Unit, Window
from ingest.errors import Refused
from ingest.pull import pull_unit

NIGHT = date(2026, 11, 1)
WINDOW = Window(date(2026, 10, 24), NIGHT)


@pytest.fixture
def pull(oauth_vendor, connection_to, settings_for, clock, landing, tokens, hurried, unlimited):
    settings = settings_for("typeform", ("northwind", "Europe/Berlin", None))

    def run(stream, window=None):
        batch = pull_unit(
            Unit("typeform", "northwind", stream, window),
            settings=settings,
            clock=clock,
            landing=landing,
            connection=connection_to(oauth_vendor),
            tokens=tokens,
            patience=hurried,
        )
        return batch, [json.loads(line) for line in landing.read_rows(batch).splitlines()]

    return run


@pytest.fixture
def forms(oauth_vendor, answer):
    """Two pages of forms: f0 to f2, then f3."""

    def listed(asked):
        number = int(asked.params["page"])
        assert asked.params["page_size"] == "200"
        items = [{"id": f"f{n}"} for n in ([0, 1, 2] if number == 1 else [3])]
        return answer({"total_items": 4, "page_count": 2, "items": items})

    oauth_vendor.on("GET", "/forms", listed)
    for number in range(4):
        form = {"id": f"f{number}", "fields": [{"id": "q"}]}
        oauth_vendor.on("GET", f"/forms/f{number}", answer(json.dumps(form, indent=1).encode()))
    return oauth_vendor


def responses(total, size):
    """Newest first; page_count is of what is left."""

    def respond(asked, answer):
        assert asked.params["page_size"] == "1000"
        left = int(asked.params.get("before", f"t{total}").removeprefix("t"))
        items = [{"token": f"t{n}"} for n in range(left - 1, max(left - size, 0) - 1, -1)]
        body = {"total_items": left, "page_count": -(-left // size), "items": items}
        return answer(body)

    return respond


def test_every_form_lands_in_full(forms, pull, landing):
    batch, rows = pull("forms")
    assert [row["id"] for row in rows] == ["f0", "f1", "f2", "f3"]
    assert all(row["fields"] for row in rows)
    assert batch.manifest.rows_told == 4
    assert [call.rows for call in landing.read_calls(batch)] == [0, 1, 1, 1, 0, 1]


def test_responses_of_every_form_page_back_to_the_oldest(forms, pull, landing, answer):
    for number, total in enumerate((0, 1, 2, 5)):
        give = responses(total, 2)
        forms.on("GET", f"/forms/f{number}/responses", lambda asked, g=give: g(asked, answer))
    batch, rows = pull("responses", WINDOW)
    assert [row["token"] for row in rows] == ["t0", "t1", "t0", "t4", "t3", "t2", "t1", "t0"]
    assert batch.manifest.rows_told == 8
    assert [len(forms.calls(f"/forms/f{n}/responses")) for n in range(4)] == [1, 1, 1, 3]
    calls = [call for call in landing.read_calls(batch) if "responses" in call.url]
    assert [call.context["form_id"] for call in calls] == ["f0", "f1", "f2", "f3", "f3", "f3"]
    for asked in forms.calls("/forms/f3/responses"):
        assert asked.params["response_type"] == "completed"
        assert asked.params["since"] == "2026-10-23T22:00:00Z"
        assert asked.params["until"] == "2026-11-01T22:59:59Z"


def test_partial_responses_are_a_complete_list(forms, pull, answer):
    for number in range(4):
        forms.on("GET", f"/forms/f{number}/responses", lambda asked: responses(1, 2)(asked, answer))
    _, rows = pull("partial_responses")
    assert len(rows) == 4
    (asked,) = forms.calls("/forms/f0/responses")
    assert asked.params == {"page_size": "1000", "response_type": "partial"}


def test_a_token_that_403_calls_old_is_refreshed(forms, pull, answer):
    old = {"code": "AUTHENTICATION_FAILED", "description": "Invalid token"}
    forms.on("GET", "/forms/f0", answer(old, 403), answer({"id": "f0"}))
    assert len(pull("forms")[1]) == 4
    assert len(forms.calls("/token")) == 2
    assert forms.calls("/token")[0].form["scope"] == "forms:read responses:read offline"


def test_a_form_that_vanishes_meanwhile_lands_nothing_this_time(forms, pull, landing, answer):
    gone = {"code": "FORM_NOT_FOUND", "description": "Non existing form with uid f3"}
    forms.on("GET", "/forms/f3", answer(gone, 404))
    with pytest.raises(Exception, match="deleted meanwhile"):
        pull("forms")
    assert landing.batches() == []


def test_responses_under_another_name_are_not_no_responses(forms, pull, answer):
    forms.on("GET", "/forms/f0/responses", answer({"responses": []}))
    with pytest.raises(Refused, match="holds no 'items'"):
        pull("responses", WINDOW)
