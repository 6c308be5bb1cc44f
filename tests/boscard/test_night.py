"""One night as plain functions: what a source reports, and what is remembered of failures."""

from __future__ import annotations

import errno
import io
import os
from datetime import date
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

import publish.read
from boscard.clock import Clock
from boscard.disk import CannotWrite
from boscard.home import PROJECT, Home
from boscard.night import Night
from boscard.nightly import NightlyError, _only_one, run_night
from boscard.settings import Messages, SettingsError, read_settings
from expectations.outbox import Outbox
from ingest import pull
from ingest.errors import Refused, Skipped, Throttled
from ingest.pull import Pulled
from ingest.tokens import NoTokens
from publish.audit import Audit, Finding

SETTINGS = read_settings(PROJECT / "boscard.toml")
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def night(tmp_path):
    return Night(SETTINGS, Home(tmp_path), Clock(date(2025, 10, 20), BERLIN, 7))


@pytest.fixture
def pulled(night, monkeypatch):
    """Pulls all that is due of a source; each stream named fails as it is told to."""

    def run(source, errors, on=night):
        def pull_units(units, **_):
            return [Pulled(unit, None, errors.get(unit.stream)) for unit in units]

        monkeypatch.setattr(pull, "pull_units", pull_units)
        units = [unit for unit in on.due(source) if unit.stream in errors]
        return on.pull(units, lambda name: None, NoTokens())

    return run


def test_the_first_serious_error_is_raised_after_all_were_tried(night, pulled):
    errors = {"forms": Skipped("closed"), "responses": Throttled("slow", 60)}
    with pytest.raises(Throttled):
        pulled("typeform", errors)
    report = night.report("typeform")
    told = {unit["stream"]: unit["error"] for unit in report["missing"]}
    assert told == {"responses": "Throttled", "partial_responses": "NotTried"}


def test_an_account_that_is_skipped_is_not_missing(night, pulled):
    assert pulled("typeform", dict.fromkeys(("forms", "responses"), Skipped("closed"))) == []
    assert {unit["stream"] for unit in night.report("typeform")["missing"]} == {"partial_responses"}


def test_a_failure_of_an_earlier_night_is_not_told_tonight(night, pulled, tmp_path):
    with pytest.raises(Refused):
        pulled("typeform", {"forms": Refused("revoked", "authorise anew")})
    assert night.report("typeform")["missing"][0]["next_step"] == "authorise anew"
    tomorrow = Night(SETTINGS, Home(tmp_path), Clock(date(2025, 10, 21), BERLIN, 7))
    assert tomorrow.report("typeform")["missing"][0]["error"] == "NotTried"


def test_complaints_gather_units_with_the_same_reason(night, pulled):
    with pytest.raises(Refused):
        pulled("typeform", dict.fromkeys(("forms", "responses"), Refused("revoked", "do this")))
    for source in SETTINGS.sources:
        night.report(source)
    told = [line for line in night.complaints() if "revoked" in line]
    assert len(told) == 1
    assert "northwind forms, northwind responses" in told[0]
    assert told[0].endswith("Next step: do this")


def test_what_landed_and_was_never_judged_is_missing(night):
    unit = next(unit for unit in night.due("typeform") if unit.stream == "forms")
    night.landing.write(unit, night.clock.as_of_date, [])

    told = {missing["stream"]: missing["error"] for missing in night.report("typeform")["missing"]}

    assert told["forms"] == "NotJudged"


def test_a_source_that_did_not_report_is_missing_whole(night):
    assert night.unreported() == list(SETTINGS.sources)
    night.report("typeform")
    assert night.unreported() == ["google_ads", "hubspot"]
    assert any("Google Ads: everything" in line for line in night.complaints())


def test_nothing_is_published_yet(night):
    assert night.published() is None
    assert night.page() is None
    assert night.complaints()[0].startswith("nothing was published tonight")


def told(night):
    return [path.read_text("utf-8") for path in sorted(night.home.outbox.glob("*.txt"))]


def audited(monkeypatch, *findings):
    audit = Audit(date(2025, 10, 20), tuple(findings))
    monkeypatch.setattr(Night, "audit", lambda self, accept_movements=False: audit)


def test_a_publication_that_fails_after_a_good_audit_is_told(night, monkeypatch):
    audited(monkeypatch)
    assert night.tell() == 1
    [text] = told(night)
    assert "could not be put in place" in text
    assert night.tell() == 0


def test_numbers_that_moved_are_told_with_the_way_out(night, monkeypatch):
    audited(monkeypatch, Finding("Numbers would change.", "movement: Ad spend from 1 to 2"))
    night.tell()
    assert "boscard nightly --date 2025-10-20 --accept-movements" in told(night)[0]


def test_another_finding_has_no_such_way_out(night, monkeypatch):
    audited(monkeypatch, Finding("It contradicts itself.", "deals: not unique"))
    night.tell()
    assert "--accept-movements" not in told(night)[0]


def test_a_missing_messages_connection_loses_no_message(tmp_path, monkeypatch):
    settings = SETTINGS.model_copy(update={"messages": Messages(connection="nowhere")})
    night = Night(settings, Home(tmp_path), Clock(date(2025, 10, 20), BERLIN, 7))
    audited(monkeypatch)
    with pytest.raises(SettingsError, match="AIRFLOW_CONN_NOWHERE"):
        night.tell()
    assert len(told(night)) == 1
    assert any("written and not sent" in line for line in night.complaints())


@pytest.mark.parametrize("tell", [Night.tell, Night.tell_late], ids=lambda tell: tell.__name__)
def test_a_message_that_finds_the_disk_full_ends_in_a_sentence(night, monkeypatch, tell):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    audited(monkeypatch)
    monkeypatch.setattr(Outbox, "post", full)
    with pytest.raises(CannotWrite, match=r"tell could not write there .* make room there"):
        tell(night)


def test_an_older_night_is_refused_before_anything_starts(night, monkeypatch):
    later = SimpleNamespace(as_of_date=date(2025, 10, 21))
    monkeypatch.setattr(publish.read, "current_record", lambda home: later)
    with pytest.raises(NightlyError, match=r"2025-10-21 is published.*boscard replay --date"):
        run_night(night, Console(file=io.StringIO()))
    assert not night.home.airflow.exists()


def test_two_nights_at_once_are_refused(night):
    night.home.create()
    with (
        _only_one(night),
        pytest.raises(NightlyError, match=f"process {os.getpid()}"),
        _only_one(night),
    ):
        pass
