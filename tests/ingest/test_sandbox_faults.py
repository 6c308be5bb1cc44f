"""Pulls from the sandbox while something goes wrong: whole and equal, or an error and nothing."""

from __future__ import annotations

from datetime import date

import pytest

from boscard.clock import Clock
from boscard.settings import Settings, read_settings
from ingest.batch import Unit, Window
from ingest.connections import Connection
from ingest.errors import Refused, Throttled, Transient
from ingest.landing import Landing
from ingest.pull import pull_unit
from ingest.tokens import FileTokens
from sandbox.connections import connections
from sandbox.limits import Limits
from sandbox.server import Sandbox, serving

NIGHT = date(2025, 12, 1)
HISTORY = Window(date(2025, 10, 1), NIGHT)
UNITS = {
    "google_ads": Unit("google_ads", "4185550101", "ad_daily", HISTORY),
    "hubspot": Unit("hubspot", "24601001", "companies", HISTORY),
    "typeform": Unit("typeform", "northwind", "responses", HISTORY),
}


@pytest.fixture(scope="module")
def settings(company) -> Settings:
    content = read_settings().model_dump()
    content["company"]["history_start"] = company.start
    return Settings.model_validate(content)


@pytest.fixture(scope="module")
def sandbox(company, settings, unlimited):
    clock = Clock(NIGHT, settings.company.zone, settings.company.publication_hour)
    limits = Limits(
        google_ads_page_rows=1000,
        google_ads_queries_per_second=None,
        hubspot_oauth_per_ten_seconds=None,
        typeform_per_second=None,
    )
    found = Sandbox(company, clock, limits=limits)
    with serving(found) as base_url:
        yield found, base_url, clock


@pytest.fixture
def pull(sandbox, settings, tmp_path, hurried, request):
    _, base_url, clock = sandbox
    landing, tokens = Landing(tmp_path / "landing"), FileTokens(tmp_path / "tokens")

    def pulled(source):
        one = connections(base_url, grant=request.node.name)[source]
        batch = pull_unit(
            UNITS[source],
            settings=settings,
            clock=clock,
            landing=landing,
            connection=Connection(one["host"], one["login"], one["password"], one["extra"]),
            tokens=tokens,
            patience=hurried,
        )
        return landing.read_rows(batch), landing.read_calls(batch)

    pulled.landing = landing
    return pulled


@pytest.fixture(scope="module")
def whole(sandbox, settings, tmp_path_factory):
    """The rows of each unit when nothing goes wrong."""
    _, base_url, clock = sandbox
    home = tmp_path_factory.mktemp("whole")
    landing = Landing(home / "landing")
    return {
        source: landing.read_rows(
            pull_unit(
                unit,
                settings=settings,
                clock=clock,
                landing=landing,
                connection=Connection(one["host"], one["login"], one["password"], one["extra"]),
                tokens=FileTokens(home / "tokens"),
            )
        )
        for source, unit in UNITS.items()
        for one in [connections(base_url, grant="whole")[source]]
    }


@pytest.fixture
def fault(sandbox):
    faults = sandbox[0].faults

    def add(**content):
        faults.add(content)

    yield add
    faults.remove()


PASSES = {
    "a server error": {"fault": "server_error", "after": 1},
    "a body cut off": {"fault": "truncate"},
    "JSON that ends early": {"fault": "truncate", "how": "json"},
    "a token that expires in the middle": {"fault": "expire_token", "after": 1},
    "a short throttle": {"fault": "throttle", "seconds": 0},
}
STOPS = {
    "revoked": ({"fault": "revoke"}, Refused),
    "down": ({"fault": "server_error", "times": None}, Transient),
    "always cut off": ({"fault": "truncate", "times": None}, Transient),
}


@pytest.mark.parametrize("source", UNITS)
@pytest.mark.parametrize("content", PASSES.values(), ids=PASSES)
def test_what_passes_costs_no_row_and_doubles_none(pull, whole, fault, source, content):
    fault(vendor=source, **content)
    rows, calls = pull(source)
    assert rows == whole[source]
    assert len(calls) > 1


@pytest.mark.parametrize("source", UNITS)
@pytest.mark.parametrize(("content", "error"), STOPS.values(), ids=STOPS)
def test_what_does_not_pass_lands_nothing(pull, fault, source, content, error):
    fault(vendor=source, **content)
    with pytest.raises(error):
        pull(source)
    assert pull.landing.batches() == []


@pytest.mark.parametrize("content", ["repeat_token", "repeat_page"])
def test_a_vendor_that_goes_in_circles_is_left(pull, fault, content):
    fault(vendor="google_ads", fault=content)
    with pytest.raises(Transient, match=r"repeats|already read"):
        pull("google_ads")
    assert pull.landing.batches() == []


@pytest.mark.parametrize("source", ["google_ads", "typeform"])
def test_hours_of_waiting_are_for_the_scheduler(pull, fault, source):
    fault(vendor=source, fault="throttle", seconds=40_591, times=None)
    with pytest.raises(Throttled) as caught:
        pull(source)
    assert caught.value.wait == pytest.approx(40_591, abs=1)
