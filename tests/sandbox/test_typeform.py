"""Typeform as the vendor answers: rotating tokens, forms, responses, cursors, limits."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.connections import connections, private_connection

NPS = "/forms/NpsCust1/responses"


def tokens(body):
    return [int(item["token"], 16) for item in body["items"]]


def test_a_refresh_token_rotates(vendors):
    first = vendors.connections["typeform"]["extra"]["refresh_token"]
    status, body, _ = vendors.refresh("typeform")
    assert status == 200
    assert set(body) == {"access_token", "expires_in", "token_type", "refresh_token"}
    assert (body["expires_in"], body["token_type"]) == (604_800, "bearer")
    assert body["refresh_token"] != first
    status, dead, _ = vendors.refresh("typeform", refresh_token=first)
    assert (status, dead["error"]) == (400, "invalid_grant")
    assert vendors.refresh("typeform", refresh_token=body["refresh_token"])[0] == 200


def test_a_restarted_sandbox_accepts_the_newest_token_it_ever_issued(call):
    earlier = call()
    newest = earlier.refresh("typeform")[1]["refresh_token"]
    newest = earlier.refresh("typeform", refresh_token=newest)[1]["refresh_token"]
    later = call()
    assert later.refresh("typeform", refresh_token=newest)[0] == 200
    assert later.refresh("typeform")[0] == 400


def test_each_consent_rotates_on_its_own(vendors):
    assert vendors.refresh("typeform")[0] == 200
    other = connections("http://x", grant="another")["typeform"]["extra"]["refresh_token"]
    assert vendors.refresh("typeform", refresh_token=other)[0] == 200


def test_an_access_token_of_an_earlier_process_has_expired(call):
    headers = call().bearer("typeform")
    assert call().send("typeform", "GET", "/forms", headers=headers)[0] == 401


def test_credentials(vendors):
    status, body, _ = vendors.send("typeform", "GET", "/forms")
    assert (status, body) == (
        401,
        {
            "code": "AUTHENTICATION_FAILED",
            "description": "Authentication credentials not found on the Request Headers",
        },
    )
    headers = {"authorization": "Bearer tfo_nothing"}
    status, body, _ = vendors.send("typeform", "GET", "/forms", headers=headers)
    assert (status, body) == (
        403,
        {"code": "AUTHENTICATION_FAILED", "description": "Invalid token"},
    )
    personal = private_connection("http://x", "typeform")["password"]
    assert personal.startswith("tfp_")
    headers = {"authorization": f"Bearer {personal}"}
    assert vendors.send("typeform", "GET", "/forms", headers=headers)[0] == 200


def test_forms_page_by_number(vendors):
    body = vendors.get("typeform", "/forms", page=1, page_size=2, order_by="asc")[1]
    assert (body["total_items"], body["page_count"]) == (3, 2)
    assert [item["id"] for item in body["items"]] == ["NpsCust1", "CsatSup1"]
    assert body["items"][0]["self"] == {"href": "http://sandbox.example/typeform/forms/NpsCust1"}
    last = vendors.get("typeform", "/forms", page=2, page_size=2, order_by="asc")[1]
    assert [item["id"] for item in last["items"]] == ["PulseTm1"]
    assert vendors.get("typeform", "/forms", page_size=201)[0] == 400


@pytest.mark.parametrize(
    ("form_id", "field_id", "kind", "hidden"),
    [
        ("NpsCust1", "npsScore0001", "nps", ["contact_id", "utm_source"]),
        ("CsatSup1", "csatScore001", "rating", ["contact_id", "utm_source"]),
        ("PulseTm1", "pulseScore01", "opinion_scale", []),
    ],
)
def test_a_form_describes_its_fields(vendors, form_id, field_id, kind, hidden):
    body = vendors.get("typeform", f"/forms/{form_id}")[1]
    assert (body["fields"][0]["id"], body["fields"][0]["type"]) == (field_id, kind)
    assert body["hidden"] == hidden


def test_an_unknown_form(vendors):
    for path in ("/forms/u6nXL7", "/forms/u6nXL7/responses"):
        status, body, _ = vendors.get("typeform", path)
        expected = {"code": "FORM_NOT_FOUND", "description": "Non existing form with uid u6nXL7"}
        assert (status, body) == (404, expected)


def test_a_completed_response_word_by_word(vendors):
    [item] = vendors.get("typeform", "/forms/CsatSup1/responses")[1]["items"]
    token = f"{902:032x}"
    assert item.pop("metadata")["browser"] == "default"
    assert item == {
        "landing_id": token,
        "token": token,
        "response_id": token,
        "response_type": "completed",
        "landed_at": "2026-11-04T05:00:00Z",
        "submitted_at": "2026-11-04T05:02:00Z",
        "hidden": {"contact_id": "102", "utm_source": "email"},
        "calculated": {"score": 0},
        "variables": [{"key": "score", "type": "number", "number": 0}],
        "answers": [
            {
                "field": {"id": "csatScore001", "type": "rating", "ref": "csat_score"},
                "type": "number",
                "number": 4,
            },
            {
                "field": {"id": "RUqkXSeXBXSd", "type": "multiple_choice", "ref": "reason"},
                "type": "choice",
                "choice": {"id": "choicePrice", "ref": "price", "label": "Price"},
            },
            {
                "field": {"id": "JwWggjAKtOkA", "type": "long_text", "ref": "comment"},
                "type": "text",
                "text": 'Nice "tour"\n🏔️',
            },
        ],
    }


def test_a_score_of_zero_is_an_answer_and_the_pulse_knows_no_person(vendors):
    [item] = vendors.get("typeform", "/forms/PulseTm1/responses")[1]["items"]
    assert [answer["number"] for answer in item["answers"]] == [0]
    assert item["hidden"] == {}


def test_partial_responses_are_of_the_year_one(vendors):
    body = vendors.get("typeform", NPS, response_type="partial,started")[1]
    assert tokens(body) == [901, 900]
    assert {item["submitted_at"] for item in body["items"]} == {"0001-01-01T00:00:00Z"}
    assert not [item for item in body["items"] if "answers" in item]
    assert [item["response_type"] for item in body["items"]] == ["started", "partial"]


def test_the_default_page_has_25_completed_responses_newest_first(vendors):
    body = vendors.get("typeform", NPS)[1]
    assert (body["total_items"], body["page_count"]) == (30, 2)
    assert tokens(body) == list(range(29, 4, -1))


def test_before_counts_what_remains(vendors):
    body = vendors.get("typeform", NPS, page_size=12)[1]
    seen, counts = tokens(body), [(body["total_items"], body["page_count"])]
    while body["page_count"] > 1:
        body = vendors.get("typeform", NPS, page_size=12, before=body["items"][-1]["token"])[1]
        seen += tokens(body)
        counts.append((body["total_items"], body["page_count"]))
    assert seen == list(range(29, -1, -1))
    assert counts == [(30, 3), (18, 2), (6, 1)]
    empty = vendors.get("typeform", NPS, before=f"{0:032x}")[1]
    assert empty == {"total_items": 0, "page_count": 0, "items": []}


def test_after_ascends(vendors):
    body = vendors.get("typeform", NPS, page_size=3, after=f"{10:032x}")[1]
    assert tokens(body) == [11, 12, 13]
    assert body["total_items"] == 19


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"since": "2026-11-03T07:00:00Z"}, [29, 28]),
        ({"until": "2026-11-03T00:10:00Z"}, [1, 0]),
        ({"since": "2026-11-03T00:10:00", "until": "2026-11-03T00:20:00Z"}, [2, 1]),
        ({"since": "1793689200"}, [29, 28]),
        ({"since": "2026-11-03T07:10:01Z"}, []),
        ({"included_response_ids": f"{3:032x},{5:032x}"}, [5, 3]),
        ({"sort": "submitted_at,asc", "until": "2026-11-03T00:10:00Z"}, [0, 1]),
        ({"completed": "false"}, [901, 900]),
        ({"response_type": "partial", "since": "2026-11-03T05:00:00Z"}, [900]),
        ({"response_type": "partial", "since": "2026-11-03T05:00:01Z"}, []),
    ],
)
def test_what_is_asked_for(vendors, query, expected):
    assert tokens(vendors.get("typeform", NPS, **query)[1]) == expected


@pytest.mark.parametrize(
    "query",
    [
        {"page_size": 1001},
        {"page_size": 0},
        {"since": "yesterday"},
        {"since": "2026-11-03"},
        {"response_type": "finished"},
        {"before": "nobody"},
        {"before": f"{3:032x}", "sort": "submitted_at,asc"},
        {"sort": "score,asc"},
    ],
)
def test_parameters_that_are_refused(vendors, query):
    status, body, _ = vendors.get("typeform", NPS, **query)
    assert (status, body["code"]) == (400, "VALIDATION_ERROR")
    assert body["details"][0]["field"] in query
    assert set(body["details"][0]) == {"field", "description", "in", "code"}


def test_two_requests_a_second_for_each_token(call, hands):
    caller = call(typeform_per_second=2)
    assert [caller.get("typeform", "/forms")[0] for _ in range(3)] == [200, 200, 429]
    _, body, headers = caller.get("typeform", "/forms")
    assert (body["code"], headers["Retry-After"]) == ("TOO_MANY_REQUESTS", "1")
    personal = private_connection("http://x", "typeform")["password"]
    other = {"authorization": f"Bearer {personal}"}
    assert caller.send("typeform", "GET", "/forms", headers=other)[0] == 200
    hands.seconds += 1
    assert caller.get("typeform", "/forms")[0] == 200


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None
)
@given(size=st.integers(1, 40), first=st.integers(0, 29), last=st.integers(0, 29))
def test_paging_by_before_gives_each_response_once(vendors, size, first, last):
    """Whatever the page size and span, `before` walks through exactly what one large page has."""
    span = {
        "since": f"2026-11-03T{first // 4:02d}:{first % 4 * 10:02d}:00Z",
        "until": f"2026-11-03T{last // 4:02d}:{last % 4 * 10:02d}:00Z",
    }
    body = vendors.get("typeform", NPS, page_size=size, **span)[1]
    seen = tokens(body)
    while body["page_count"] > 1:
        body = vendors.get("typeform", NPS, page_size=size, before=f"{seen[-1]:032x}", **span)[1]
        seen += tokens(body)
    assert seen == list(range(last, first - 1, -1))
