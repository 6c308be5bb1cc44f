"""What faults come to in a whole night: the same publication, a stale one, or the last one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from boscard.night import Night
from ingest.errors import IngestError, Refused, UsedUp
from ingest.registry import SOURCES
from ingest.tokens import FileTokens
from publish.publication import Publication
from publish.read import read
from sandbox.tokens import refresh_token
from tests.faults.conftest import FIRST, SECOND, Bench, Landed, landed
from tests.faults.table import ADS, ALL, CRM, SURVEY


def _lived(
    bench: Bench, *faults: Mapping[str, object]
) -> tuple[Night, Publication, dict[str, IngestError | None]]:
    """A second night under faults, from the pull to the publication."""
    standing = bench.installation.sandbox.faults
    standing.remove()
    night = bench.night()
    for fault in faults:
        standing.add(fault)
    errors = {}
    for source in night.settings.sources:
        errors[source] = bench.ingest(night, source)
        night.report(source)
    assert [fault.as_json() for fault in standing.standing() if _is_idle(fault)] == []
    standing.remove()
    return night, bench.installation.publish(night), errors


def _is_idle(fault: object) -> bool:
    return not fault.hits and fault.fault != "revoke"  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def clean(bench: Bench) -> tuple[Night, Publication]:
    night, publication, errors = _lived(bench)
    assert not any(errors.values())
    return night, publication


def test_an_unsteady_wire_and_empty_pages_change_no_number(
    bench: Bench, clean: tuple[Night, Publication]
) -> None:
    faults = [
        {"vendor": vendor, **fault}
        for vendor in ALL
        for fault in (
            {"fault": "throttle", "after": 1},
            {"fault": "server_error", "after": 2},
            {"fault": "slow", "ms": 5, "times": 3},
            {"fault": "truncate", "after": 3},
            {"fault": "truncate", "after": 9, "how": "json"},
            {"fault": "invalid_utf8", "after": 4},
            {"fault": "expire_token", "after": 5},
            {"fault": "indented"},
        )
    ]
    odd = [
        {"vendor": ADS, "fault": "empty_page"},
        {"vendor": CRM, "fault": "empty_page", "match": "contacts"},
    ]
    _, publication, errors = _lived(bench, *faults, *odd)
    assert not any(errors.values())
    assert publication.content_hash == clean[1].content_hash


def test_a_night_without_any_vendor_is_published_and_stale(bench: Bench) -> None:
    night, publication, errors = _lived(
        bench,
        {"vendor": ADS, "fault": "disable"},
        {"vendor": CRM, "fault": "throttle", "seconds": 40_591, "times": None},
        {"vendor": SURVEY, "fault": "revoke"},
    )
    assert {source: type(error) for source, error in errors.items() if error} == {
        CRM: UsedUp,
        SURVEY: Refused,
    }
    assert publication.record.as_of_date == SECOND
    values = read("kpi_values", night.home)
    through = values[values["kpi_id"] != "L07"]["data_through"].dropna()
    assert pd.to_datetime(through).dt.date.max() == FIRST
    complaints = "\n".join(night.complaints())
    assert "HubSpot" in complaints
    assert "Typeform" in complaints
    assert "authorise Boscard again" in complaints


def test_a_switched_currency_leaves_the_last_publication(
    bench: Bench, clean: tuple[Night, Publication]
) -> None:
    night, publication = clean
    faults = bench.installation.sandbox.faults
    faults.remove()
    faults.add(
        {
            "vendor": ADS,
            "fault": "wrong_value",
            "match": "customers",
            "field": "customerClient.currencyCode",
            "value": "GBP",
            "rows": None,
        }
    )
    units = [unit for unit in night.due(ADS, again=True) if unit.stream == "customers"]
    night.pull(units, bench.installation.connection, bench.tokens())
    night.gate(ADS)
    faults.remove()
    night.load()
    audit = night.audit()
    assert not audit.may_publish
    assert any("agreed_currency" in reason for reason in audit.reasons)
    current = night.published()
    assert current is not None
    assert current.content_hash == publication.content_hash
    assert [unit.stream for unit in night.due(ADS)] == ["customers"]
    assert night.report(ADS)["missing"] == []
    [complaint] = [line for line in night.complaints() if "blocked" in line]
    assert "asked again when this night is run again" in complaint
    # The same night again, with a vendor that is sound again.
    night.pull(night.due(ADS), bench.installation.connection, bench.tokens())
    night.gate(ADS)
    assert night.due(ADS) == []
    assert not any("blocked" in line for line in night.complaints())
    night.load()
    assert night.audit().may_publish


def test_what_an_index_lagged_behind_with_comes_the_next_night(
    bench: Bench, undisturbed: Mapping[str, Mapping[tuple[str, str], Landed]]
) -> None:
    night = bench.night()
    faults = bench.installation.sandbox.faults
    faults.remove()
    faults.add({"vendor": CRM, "fault": "index_lag", "match": "contacts", "seconds": 86_400})
    assert bench.ingest(night, CRM, "contacts") is None
    faults.remove()
    after = replace(bench.installation, home=night.home).night(SECOND + timedelta(days=1))
    assert bench.ingest(after, CRM, "contacts") is None
    stream = SOURCES[CRM].streams["contacts"]
    [place] = landed(night, CRM, "contacts")
    whole = undisturbed[CRM][place].by_key(stream).keys()
    came, next_came = (landed(one, CRM, "contacts")[place].by_key(stream) for one in (night, after))
    assert whole - came.keys()
    assert whole - came.keys() <= next_came.keys()


class _KilledError(BaseException):
    """Stands for a process that ends here."""


class _Killed(FileTokens):
    def save(self, name: str, value: str) -> None:
        raise _KilledError


def test_a_crash_before_a_rotated_refresh_token_is_saved(
    bench: Bench, undisturbed: Mapping[str, Mapping[tuple[str, str], Landed]]
) -> None:
    """The old token is spent and the new one lost: a person is told to authorise anew, and then
    all is well."""
    night = bench.night()
    units = [unit for unit in night.due(SURVEY) if unit.stream == "responses"]
    offered = bench.installation.connection(SURVEY)

    def consent(serial: int) -> dict[str, object]:
        token = refresh_token(SURVEY, "crash", serial)
        connection = replace(offered, extra={**offered.extra, "refresh_token": token})
        return {"connection": lambda _: connection}

    with pytest.raises(_KilledError):
        night.pull(units, tokens=_Killed(night.home.tokens), **consent(0))
    assert landed(night, SURVEY) == {}
    with pytest.raises(Refused, match="authorise Boscard again at Typeform"):
        night.pull(units, tokens=FileTokens(night.home.tokens), **consent(0))
    night.pull(units, tokens=FileTokens(night.home.tokens), **consent(1))
    night.gate(SURVEY)
    place = ("northwind", "responses")
    assert landed(night, SURVEY)[place].rows == undisturbed[SURVEY][place].rows
