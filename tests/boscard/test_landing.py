"""Where landing lies, by the settings; and what `boscard check` says of object storage."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import date

import pytest
from rich.console import Console

from boscard.backup import back_up, not_in_it, read_backup
from boscard.checking import _wrong_with_landing
from boscard.clock import Clock
from boscard.home import PROJECT, Home
from boscard.landing import _stored, open_landing, try_landing
from boscard.night import Night
from boscard.nightly import run_night
from boscard.settings import LandingPlace, SettingsError, read_settings
from ingest.batch import Unit
from ingest.errors import Refused
from ingest.s3 import Bucket
from ingest.tokens import FileTokens

SETTINGS = read_settings()
NIGHT = date(2026, 11, 1)
LIST = Unit("google_ads", "4185550101", "campaigns", None)


@pytest.fixture
def home(tmp_path) -> Home:
    _stored.cache_clear()
    return Home(tmp_path / "var")


@pytest.fixture
def stored(s3_server, monkeypatch):
    """Settings whose landing lies in a bucket, by a connection."""
    found = s3_server.connection()
    told = {"conn_type": "aws", "login": found.login, "password": found.password}
    told["extra"] = dict(found.extra)
    monkeypatch.setenv("AIRFLOW_CONN_STORAGE", json.dumps(told))
    return at(s3_server.bucket(), "storage")


def at(url, connection):
    place = LandingPlace(url=url, connection=connection)
    return SETTINGS.model_copy(update={"landing": place})


def words(home, settings):
    company = settings.company
    night = Night(settings, home, Clock(NIGHT, company.zone, company.publication_hour))
    return [*_wrong_with_landing(night)]


def test_no_real_accounts_are_mixed_with_the_fictitious_company(home):
    company = SETTINGS.company
    clock = Clock(NIGHT, company.zone, company.publication_hour)
    real = SETTINGS.model_copy(
        update={"sandbox": SETTINGS.sandbox.model_copy(update={"enabled": False})}
    )
    for settings, is_marked in ((real, False), (SETTINGS, True)):
        with pytest.raises(KeyError):
            Night(settings, home, clock).pull([LIST], {}.__getitem__, FileTokens(home.tokens))
        assert home.fictitious.exists() is is_marked
    open_landing(home, SETTINGS)
    with pytest.raises(SettingsError, match=r"fictitious company: .* a home of their own"):
        open_landing(home, real)


def test_without_a_setting_it_is_the_homes_folder(home, capsys):
    batch = open_landing(home, SETTINGS).write(LIST, NIGHT, [])
    assert batch.path.is_relative_to(home.landing)
    assert words(home, SETTINGS) == []
    assert capsys.readouterr().out == ""


def test_with_one_it_is_there_and_can_be_tried(home, stored, capsys):
    batch = open_landing(home, stored).write(LIST, NIGHT, [])
    assert str(batch.folder).startswith(f"{stored.landing.url}/google_ads/4185550101/campaigns/")
    assert not home.landing.exists()
    assert words(home, stored) == []
    assert capsys.readouterr().out == (
        f"landing: ok: {stored.landing.url} can be written and read\n"
    )
    assert open_landing(home, stored).root.files() == [], "the trial object is gone"


def test_batches_that_lie_in_the_home_are_not_left_behind(home, stored):
    open_landing(home, SETTINGS).write(LIST, NIGHT, [])
    with pytest.raises(SettingsError, match="copy what is in it to s3://"):
        open_landing(home, stored)


def test_a_wrong_key_is_told(home, stored, s3_server, capsys):
    with s3_server.looking_at_keys():
        assert len(words(home, stored)) == 1
    said = capsys.readouterr().out
    assert said.startswith(f"landing: WRONG: {stored.landing.url}: ")
    assert "give landing's connection a key that may" in said
    assert "a-secret" not in said


def test_a_missing_bucket_is_told(home, stored, capsys):
    assert len(words(home, at("s3://no-such-bucket", "storage"))) == 1
    assert "make the bucket, or correct landing.url" in capsys.readouterr().out


def test_a_night_does_not_begin_where_landing_cannot_be_reached(home, stored, monkeypatch):
    """Before anything is started: the error is one sentence, not one of each task."""
    wrong = at("s3://no-such-bucket", "storage")
    company = wrong.company
    night = Night(wrong, home, Clock(NIGHT, company.zone, company.publication_hour))
    monkeypatch.setattr("boscard.airflow_home.migrate", lambda *_: None)
    monkeypatch.setattr("boscard.nightly.reachable_vendors", lambda *_: nullcontext({}))
    monkeypatch.setattr("boscard.nightly._run", lambda *_: pytest.fail("it has begun"))
    with pytest.raises(Refused, match="make the bucket"):
        run_night(night, Console(quiet=True))


def test_a_missing_connection_is_told(home, capsys):
    assert len(words(home, at("s3://bucket-1", "nowhere"))) == 1
    assert "no Airflow connection 'nowhere'" in capsys.readouterr().out


def test_a_backup_leaves_it_out_and_says_so(home, stored, tmp_path, monkeypatch):
    written = tmp_path / "boscard.toml"
    section = f'[landing]\nurl = "{stored.landing.url}"\nconnection = "storage"\n\n[sandbox]'
    written.write_text((PROJECT / "boscard.toml").read_text("utf-8").replace("[sandbox]", section))
    monkeypatch.setenv("BOSCARD_SETTINGS", str(written))
    open_landing(home, read_settings()).write(LIST, NIGHT, [])
    home.outbox.mkdir()
    (home.outbox / "message").write_text("a message")
    made, backup = back_up(home, tmp_path / "backups")
    assert [entry.path for entry in backup.files] == ["outbox/message"]
    assert any(stored.landing.url in words for words in not_in_it(backup))
    assert read_backup(made) == backup


def test_a_storage_that_writes_over_is_refused(home, stored, monkeypatch):
    def written_over(bucket, key, content):
        bucket.write(key, content)
        return True

    monkeypatch.setattr(Bucket, "write_new", written_over)
    with pytest.raises(Refused, match="does not keep to If-None-Match"):
        try_landing(home, stored)
    assert open_landing(home, stored).root.files() == []
