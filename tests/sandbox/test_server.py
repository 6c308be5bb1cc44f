"""The sandbox over HTTP: three vendors in a thread or a child process, steered while they run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
import requests

from boscard.home import PROJECT
from boscard.settings import settings_path
from sandbox.connections import connections
from sandbox.limits import Limits
from sandbox.process import READY, SandboxError, started
from sandbox.server import running

CONTACTS = "/crm/v3/objects/contacts"


@pytest.fixture
def base_url(vendors, night):
    with running(vendors.sandbox.company, night, limits=Limits.none()) as base_url:
        yield base_url


def token(base_url, source):
    connection = connections(base_url)[source]
    form = {
        "grant_type": "refresh_token",
        "client_id": connection["login"],
        "client_secret": connection["password"],
        "refresh_token": connection["extra"]["refresh_token"],
    }
    reply = requests.post(connection["extra"]["token_url"], data=form, timeout=10)
    assert reply.status_code == 200, reply.text
    return reply.json()["access_token"]


def session(base_url, source):
    found = requests.Session()
    found.headers["Authorization"] = f"Bearer {token(base_url, source)}"
    return found


def test_each_vendor_is_reached_by_its_connection(base_url):
    search = "/v26/customers/4185550100/googleAds:search"
    query = {"query": "SELECT customer_client.id FROM customer_client"}
    hosts = {source: one["host"] for source, one in connections(base_url).items()}
    google = session(base_url, "google_ads").post(
        hosts["google_ads"] + search, json=query, timeout=10
    )
    assert len(google.json()["results"]) == 4
    hubspot = session(base_url, "hubspot").get(hosts["hubspot"] + CONTACTS, timeout=10)
    assert len(hubspot.json()["results"]) == 5
    assert hubspot.headers["X-HubSpot-Correlation-Id"]
    typeform = session(base_url, "typeform").get(hosts["typeform"] + "/forms", timeout=10)
    assert typeform.json()["total_items"] == 3
    assert requests.get(base_url + "/bing/forms", timeout=10).status_code == 404


def test_gzip_only_for_those_who_take_it(base_url):
    caller = session(base_url, "hubspot")
    zipped = caller.get(base_url + "/hubspot" + CONTACTS, timeout=10)
    plain = caller.get(
        base_url + "/hubspot" + CONTACTS, headers={"Accept-Encoding": "identity"}, timeout=10
    )
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert zipped.json() == plain.json()


def test_links_lead_back_to_the_sandbox(base_url):
    caller = session(base_url, "hubspot")
    body = caller.get(base_url + "/hubspot" + CONTACTS + "?limit=2", timeout=10).json()
    link = body["paging"]["next"]["link"]
    assert link.startswith(base_url + "/hubspot/crm/v3/objects/contacts?after=")
    assert [row["id"] for row in caller.get(link, timeout=10).json()["results"]] == ["103", "104"]


def test_the_clock_moves_while_it_runs(base_url):
    health = requests.get(base_url + "/_sandbox/health", timeout=10).json()
    assert health == {"as_of_date": "2026-11-04", "now": "2026-11-05T06:00:00+00:00"}
    moved = requests.post(
        base_url + "/_sandbox/clock", json={"date": "2026-03-28"}, timeout=10
    ).json()
    assert moved == {"as_of_date": "2026-03-28", "now": "2026-03-29T05:00:00+00:00"}
    for wrong in ({"date": "soon"}, {}, []):
        reply = requests.post(base_url + "/_sandbox/clock", json=wrong, timeout=10)
        assert (reply.status_code, reply.json()) == (400, {"error": 'send {"date": "YYYY-MM-DD"}'})


def test_faults_are_set_listed_and_deleted_over_http(base_url):
    faults = base_url + "/_sandbox/faults"
    caller = session(base_url, "hubspot")
    fault = {
        "vendor": "hubspot",
        "fault": "server_error",
        "match": "contacts",
        "times": None,
        "status": 502,
    }
    added = requests.post(faults, json=fault, timeout=10)
    assert added.status_code == 201
    assert caller.get(base_url + "/hubspot" + CONTACTS, timeout=10).status_code == 502
    [listed] = requests.get(faults, timeout=10).json()["faults"]
    assert listed == fault | {
        "id": 1,
        "after": 0,
        "calls_hit": 1,
        "rows_changed": 0,
        "rows_changed_by_request": {},
    }
    assert requests.delete(faults + "?id=2", timeout=10).json() == {"removed": 0}
    assert requests.delete(faults + "?id=1", timeout=10).json() == {"removed": 1}
    assert caller.get(base_url + "/hubspot" + CONTACTS, timeout=10).status_code == 200
    scenario = requests.post(faults, json={"scenario": "wrong_values"}, timeout=10).json()["faults"]
    assert len(scenario) == 6
    assert requests.delete(faults + "?vendor=typeform", timeout=10).json() == {"removed": 1}
    assert requests.delete(faults, timeout=10).json() == {"removed": 5}
    for wrong in ({"fault": "gremlins"}, {"scenario": "apocalypse"}, []):
        reply = requests.post(faults, json=wrong, timeout=10)
        assert reply.status_code == 400
        assert reply.json()["error"]


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_body_cut_off_in_the_middle(base_url, encoding):
    caller = session(base_url, "hubspot")
    caller.headers["Accept-Encoding"] = encoding
    fault = {"vendor": "hubspot", "fault": "truncate"}
    requests.post(base_url + "/_sandbox/faults", json=fault, timeout=10)
    with pytest.raises(
        (requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)
    ):
        caller.get(base_url + "/hubspot" + CONTACTS, timeout=10)
    assert len(caller.get(base_url + "/hubspot" + CONTACTS, timeout=10).json()["results"]) == 5


def test_calls_are_counted(base_url):
    caller = session(base_url, "typeform")
    for path in ("/forms", "/forms", "/forms/nothing"):
        caller.get(base_url + "/typeform" + path, timeout=10)
    calls = requests.get(base_url + "/_sandbox/calls", timeout=10).json()["calls"]
    assert [(row["path"], row["stream"], row["status"], row["calls"]) for row in calls] == [
        ("/forms", "forms", 200, 2),
        ("/forms/nothing", "forms", 404, 1),
        ("/oauth/token", "", 200, 1),
    ]


def test_many_at_once(base_url):
    caller = session(base_url, "hubspot")
    with ThreadPoolExecutor(8) as pool:
        replies = list(
            pool.map(lambda _: caller.get(base_url + "/hubspot" + CONTACTS, timeout=10), range(40))
        )
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.text for reply in replies}) == 1
    correlations = {reply.headers["X-HubSpot-Correlation-Id"] for reply in replies}
    assert len(correlations) == 40


def test_the_server_is_gone_afterwards(vendors, night):
    with running(vendors.sandbox.company, night) as base_url:
        assert requests.get(base_url + "/_sandbox/health", timeout=10).ok
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(base_url + "/_sandbox/health", timeout=10)


@pytest.fixture
def small_settings(tmp_path, monkeypatch):
    text = settings_path().read_text(encoding="utf-8")
    text = text.replace("history_start = 2025-10-01", "history_start = 2026-10-20")
    path = tmp_path / "boscard.toml"
    path.write_text(text.replace("seed = 7", "seed = 7\nscale = 0.05"), encoding="utf-8")
    monkeypatch.setenv("BOSCARD_SETTINGS", str(path))
    return path


def test_a_child_process_serves_and_ends_with_its_context(small_settings, tmp_path):
    log = tmp_path / "sandbox.log"
    with started(date(2026, 11, 4), log=log, scenario="hubspot_down") as base_url:
        health = requests.get(base_url + "/_sandbox/health", timeout=10).json()
        assert health["as_of_date"] == "2026-11-04"
        down = session(base_url, "hubspot").get(base_url + "/hubspot" + CONTACTS, timeout=10)
        assert down.status_code == 503
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(base_url + "/_sandbox/health", timeout=10)
    assert log.read_text(encoding="utf-8") == ""


def test_a_child_process_that_cannot_start_says_why(small_settings, tmp_path):
    small_settings.write_text("nonsense", encoding="utf-8")
    with (
        pytest.raises(SandboxError, match=r"boscard.toml: not valid TOML.*sandbox.log"),
        started(date(2026, 11, 4), log=tmp_path / "sandbox.log"),
    ):
        pass


def test_an_attached_sandbox_ends_when_its_parent_is_killed(small_settings):
    command = [sys.executable, "-m", "sandbox", "serve", "--attached", "--date", "2026-11-04"]
    reader, writer = os.pipe()
    child = subprocess.Popen(command, cwd=PROJECT, stdin=reader, stdout=subprocess.PIPE, text=True)
    os.close(reader)
    try:
        assert child.stdout.readline().startswith(READY)
        os.close(writer)
        assert child.wait(timeout=20) == 0
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
        child.stdout.close()


def test_it_listens_where_it_is_told(small_settings):
    command = [sys.executable, "-m", "sandbox", "serve", "--attached", "--date", "2026-11-04"]
    command += ["--host", "127.0.0.2"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=PROJECT, stdin=pipe, stdout=pipe, text=True) as child:
        base_url = child.stdout.readline().removeprefix(READY).split()[0]
        assert base_url.startswith("http://127.0.0.2:")
        health = requests.get(base_url + "/_sandbox/health", timeout=10)
        child.stdin.close()
    assert health.json()["as_of_date"] == "2026-11-04"
