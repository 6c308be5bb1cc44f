"""The client: what it retries, what it gives up on, and that bytes come through as they were."""

# ruff: noqa: C408 (answers read better as calls)
from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import logging
from types import SimpleNamespace

import pytest

from ingest.auth import Bearer
from ingest.budget import Budget
from ingest.client import Client
from ingest.error_table import Problem, Rule
from ingest.errors import Refused, Throttled, Transient
from ingest.exchange import Request
from ingest.session import Health, Patience, new_session, safe_url

ROWS = Request("GET", "/rows")
SECRET = "s3cret-access-token"


def explain(reply):
    body = reply.json() or {}
    body = body.get("error") or body
    return Problem(frozenset([body["code"]] if "code" in body else []), body.get("words", ""))


RULES = (
    Rule(Throttled, "slow down", codes=("SLOW",), wait=7),
    Rule(Refused, "no entry", "ask for entry", codes=("CLOSED",)),
)


@pytest.fixture
def slept():
    return []


@pytest.fixture
def client(vendor, slept):
    return Client(
        title="Vendor",
        host=vendor.url,
        auth=Bearer(SECRET),
        budget=Budget({}),
        rules=RULES,
        explain=explain,
        headers={"x-house": "boscard"},
        session=new_session(),
        health=Health(),
        patience=Patience(attempts=3, first_pause=1.0, connect_seconds=2, read_seconds=5),
        sleep=slept.append,
    )


def test_a_page_is_rows_as_bytes_the_rest_decoded_and_the_facts_of_the_call(vendor, client, answer):
    body = b'{"results": [{"a": "1.50"}, {"a":1.50,"b":"\\u00e9"}], "next": {"after": "7"}}'
    vendor.on("GET", "/rows", answer(body))
    page = client.fetch(Request("GET", "/rows", {"limit": "2"}, context={"form_id": "f"}))
    assert [bytes(row) for row in page.rows] == [b'{"a": "1.50"}', b'{"a":1.50,"b":"\\u00e9"}']
    assert page.envelope == {"next": {"after": "7"}}
    assert (page.method, page.status, page.attempts) == ("GET", 200, 1)
    assert page.url == f"{vendor.url}/rows?limit=2"
    assert page.bytes == len(body)
    assert page.sha256 == hashlib.sha256(body).hexdigest()
    assert page.context == {"form_id": "f"}
    (asked,) = vendor.asked
    assert asked.headers["authorization"] == f"Bearer {SECRET}"
    assert asked.headers["x-house"] == "boscard"


def test_indented_rows_become_one_line_and_strings_stay(vendor, client, answer):
    row = {"name": "two\r\nlines \\n and a tab\t", "nested": {"n": [1, 2]}}
    vendor.on("GET", "/rows", answer(json.dumps({"results": [row, row]}, indent=2).encode()))
    found = [bytes(one) for one in client.fetch(ROWS).rows]
    assert not any(b"\n" in one or b"\r" in one for one in found)
    assert [json.loads(one) for one in found] == [row, row]
    assert found[0].replace(b" ", b"") == json.dumps(row).encode().replace(b" ", b"")


@pytest.mark.parametrize(
    ("sent", "landed"),
    [
        (r"\ud83d\ude00", r"\ud83d\ude00"),
        (r"cut \ud83d", r"cut \ufffd"),
        (r"\ude00 alone", r"\ufffd alone"),
        (r"\uD83D\ud83d\ude00", r"\ufffd\ud83d\ude00"),
        (r"\\ud83d is no escape, \ud83d is", r"\\ud83d is no escape, \ufffd is"),
    ],
    ids=["a whole emoji", "its first half", "its second half", "half and whole", "a backslash"],
)
def test_half_of_an_emoji_does_not_cost_its_page(vendor, client, answer, sent, landed):
    vendor.on("GET", "/rows", answer(f'{{"results": [{{"a": "{sent}"}}]}}'.encode()))
    page = client.fetch(ROWS)
    assert [bytes(row) for row in page.rows] == [f'{{"a": "{landed}"}}'.encode()]


def test_a_whole_body_can_be_one_row(vendor, client, answer):
    vendor.on("GET", "/form", answer(b'{\n "id": "f",\n "results": []\n}'))
    page = client.fetch(Request("GET", "/form", rows=None))
    assert [bytes(row) for row in page.rows] == [b'{ "id": "f", "results": []}']


def test_a_compressed_body_is_read(vendor, client, answer):
    body = gzip.compress(b'{"results": [1]}')
    vendor.on("GET", "/rows", answer(body, headers={"Content-Encoding": "gzip"}))
    assert client.fetch(ROWS).bytes == 16


WHOLE = b'{"results": [{"a": 1}]}'
PASSING = {
    "a vendor's trouble": dict(body=b"<html>bad gateway</html>", status=502),
    "a body cut off": dict(body=WHOLE[:15], cut=8),
    "JSON that ends early": dict(body=WHOLE[:-1]),
    "no JSON at all": dict(body=b"<html>hello</html>"),
    "an empty body": dict(body=b""),
    "no UTF-8": dict(body=b'{"results": [{"a": "\xff"}]}'),
    "a line break inside a string": dict(body=b'{"results": [{"a": "x\ny"}]}'),
    "a truncated gzip": dict(
        body=gzip.compress(WHOLE * 50)[:30], headers={"Content-Encoding": "gzip"}
    ),
    "a short wait": dict(body={"code": "SLOW"}, status=429),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_what_passes_is_tried_again(vendor, client, answer, slept, fault):
    vendor.on("GET", "/rows", answer(**fault), answer(WHOLE))
    page = client.fetch(ROWS)
    assert len(page.rows) == 1
    assert page.attempts == 2
    assert slept == [7] if fault.get("status") == 429 else slept == [1.0]


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_what_does_not_pass_is_given_back_after_the_last_attempt(
    vendor, client, answer, slept, fault
):
    vendor.on("GET", "/rows", answer(**fault))
    with pytest.raises((Transient, Throttled)):
        client.fetch(ROWS)
    assert len(vendor.asked) == 3
    assert len(slept) == 2


def test_a_vendor_that_is_down_costs_patience_once_until_it_answers(vendor, client, answer, slept):
    vendor.on("GET", "/rows", *[answer(b"", 503)] * 5, *[answer(WHOLE)] * 2, answer(b"", 503))
    counts = []
    for _ in range(5):
        before = len(vendor.asked)
        with contextlib.suppress(Transient):
            client.fetch(ROWS)
        counts.append(len(vendor.asked) - before)
    assert counts == [3, 1, 1, 1, 1]
    with pytest.raises(Transient):
        client.fetch(ROWS)
    assert len(vendor.asked) == 10


def test_a_vendor_that_only_throttles_is_not_down(vendor, client, answer):
    vendor.on("GET", "/rows", answer({"code": "SLOW"}, 429))
    for _ in range(2):
        with pytest.raises(Throttled):
            client.fetch(ROWS)
    assert len(vendor.asked) == 6


def test_no_answer_at_all_is_transient(client, slept):
    client._host = "http://127.0.0.1:9"
    with pytest.raises(Transient, match=r"no whole answer .* Next step: .* reaches that host"):
        client.fetch(ROWS)
    assert slept == [1.0, 2.0]


REFUSED = {
    "a refusal of the vendor's": (dict(body={"code": "CLOSED"}, status=403), "no entry"),
    "an error inside a 200": (dict(body={"error": {"code": "CLOSED"}}), "no entry"),
    "an unknown error inside a 200": (dict(body={"error": {"code": "?"}}), "answered with an"),
    "rows under another name": (dict(body={"rows": []}), "holds no 'results'"),
    "rows that are no list": (dict(body={"results": {"a": 1}}), "another shape"),
    "a list for a body": (dict(body=[1]), "another shape"),
    "a redirect": (dict(body=b"", status=302, headers={"Location": "/else"}), "redirects"),
    "an unknown address": (dict(body={}, status=404), "knows nothing at this address"),
}


@pytest.mark.parametrize(("fault", "words"), REFUSED.values(), ids=REFUSED)
def test_what_needs_a_person_fails_at_once(vendor, client, answer, fault, words):
    vendor.on("GET", "/rows", answer(**fault))
    with pytest.raises(Refused, match=words) as caught:
        client.fetch(ROWS)
    assert len(vendor.asked) == 1
    assert caught.value.next_step


@pytest.mark.parametrize("address", ["ftp://vendor", "vendor.example"])
def test_a_host_that_is_no_address_is_refused(client, address):
    client._host = address
    with pytest.raises(Refused, match="not an address"):
        client.fetch(ROWS)


def test_a_wait_beyond_two_minutes_goes_back_at_once(vendor, client, answer, slept):
    vendor.on("GET", "/rows", answer({"code": "SLOW"}, 429, {"Retry-After": "121"}))
    with pytest.raises(Throttled) as caught:
        client.fetch(ROWS)
    assert caught.value.wait == 121
    assert slept == []
    assert "121 s" in str(caught.value)


def test_waits_add_up_to_two_minutes_at_most(vendor, client, answer, slept):
    vendor.on("GET", "/rows", answer({"code": "SLOW"}, 429, {"Retry-After": "70"}))
    with pytest.raises(Throttled):
        client.fetch(ROWS)
    assert slept == [70]


def test_rows_may_be_absent_only_beside_the_mark_of_an_empty_answer(vendor, client, answer):
    vendor.on("GET", "/rows", answer({"fieldMask": "a"}), answer({}))
    request = Request("GET", "/rows", empty_mark="fieldMask")
    assert list(client.fetch(request).rows) == []
    with pytest.raises(Refused, match="holds no 'results'"):
        client.fetch(request)


def test_a_secret_that_the_vendor_echoes_stands_in_no_error_log_or_url(
    vendor, client, answer, caplog
):
    caplog.set_level(logging.DEBUG)
    echo = {"code": "SLOW", "words": f"token {SECRET} is too eager"}
    vendor.on("GET", "/rows", answer(echo, 429), answer({"results": []}))
    page = client.fetch(Request("GET", "/rows", {"access_token": "abc", "note": SECRET}))
    vendor.on("GET", "/rows", answer({"code": "CLOSED", "words": SECRET}, 403))
    with pytest.raises(Refused) as caught:
        client.fetch(Request("GET", "/rows"))
    logged = [str(record.getMessage()) for record in caplog.records if "urllib3" not in record.name]
    everything = "\n".join([*logged, page.url, str(caught.value), repr(caught.value)])
    assert SECRET not in everything
    assert "abc" not in page.url
    assert "attempt 1 failed" in caplog.text


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://u:p@host/a?b=1", "https://host/a?b=1"),
        ("https://host/a?Access_Token=x&b=", "https://host/a?Access_Token=***&b="),
        (
            "https://host/a?since=2026-08-01T00:00:00Z#f",
            "https://host/a?since=2026-08-01T00:00:00Z",
        ),
    ],
    ids=["user and password", "a token, and an empty value", "a fragment"],
)
def test_safe_url(url, safe):
    assert safe_url(url) == safe


def test_credentials_of_netrc_are_not_used(vendor, client, answer, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else")
    monkeypatch.setenv("NETRC", str(netrc))
    vendor.on("GET", "/rows", answer({"results": []}))
    client.fetch(ROWS)
    assert vendor.asked[0].headers["authorization"] == f"Bearer {SECRET}"


def test_cookies_are_not_kept(vendor, client, answer):
    vendor.on("GET", "/rows", answer({"results": []}, headers={"Set-Cookie": "a=b; Path=/"}))
    client.fetch(ROWS)
    client.fetch(ROWS)
    assert "cookie" not in vendor.asked[1].headers


def test_a_body_is_sent_as_json(vendor, client, answer):
    vendor.on("POST", "/rows", lambda asked: answer({"results": [asked.json]}))
    page = client.fetch(Request("POST", "/rows", body={"query": "SELECT é"}))
    assert page.row(0) == {"query": "SELECT é"}
    assert vendor.asked[0].headers["content-type"] == "application/json"


def test_the_flow_is_closed_when_sending_fails(client):
    """A flow may hold the lock of a refresh: it must not outlive a failed call."""
    closed = []

    def flow(request):
        try:
            yield request
        finally:
            closed.append(True)

    client._auth = SimpleNamespace(flow=flow, secrets=lambda: ())
    client._host = "http://127.0.0.1:9"
    with pytest.raises(Transient):
        client.fetch(ROWS)
    assert closed == [True] * 3
