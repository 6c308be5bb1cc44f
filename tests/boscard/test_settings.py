"""The settings file: what is wrong is told with file, key, what it is and what would be right."""

from __future__ import annotations

import pytest

from boscard.home import PROJECT
from boscard.settings import SettingsError, read_settings
from ingest.registry import SOURCES

GOOD = (PROJECT / "boscard.toml").read_text("utf-8")


def written(tmp_path, text):
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_file_is_valid_and_names_registered_sources():
    settings = read_settings(PROJECT / "boscard.toml")
    assert set(settings.sources) == set(SOURCES)
    assert settings.sandbox.enabled


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param(
            'reporting_currency = "EUR"',
            'reporting_currency = "euro"',
            ["company.reporting_currency", "'euro'"],
            id="a currency that is none",
        ),
        pytest.param(
            'time_zone = "Europe/Berlin"\nhistory_start',
            'time_zone = "Berlin"\nhistory_start',
            ["company.time_zone", "'Berlin' is not an IANA time zone", "Europe/Berlin"],
            id="a time zone that is none",
        ),
        pytest.param(
            "publication_hour = 7",
            "publication_hour = 24",
            ["company.publication_hour", "less than or equal to 23"],
            id="an hour out of range",
        ),
        pytest.param(
            "publication_hour = 7",
            "publication_hours = 7",
            ["company.publication_hours is not a setting", "company.publication_hour is missing"],
            id="a key misspelt",
        ),
        pytest.param(
            'account = "4185550102"',
            'account = "4185550101"',
            ["google_ads account '4185550101' is listed twice"],
            id="an account twice",
        ),
        pytest.param(
            'account = "4185550102"',
            'account = "../etc"',
            ["accounts.1.account", "'../etc'"],
            id="an account that would leave its folder",
        ),
        pytest.param("[company]", "[company", ["not valid TOML"], id="not TOML"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, old, new, words):
    assert old in GOOD
    path = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(SettingsError) as raised:
        read_settings(path)
    for part in [str(path), *words]:
        assert part in str(raised.value)


def test_a_source_that_is_not_registered_is_told(tmp_path):
    path = written(tmp_path, GOOD.replace('source = "typeform"', 'source = "typoform"'))
    with pytest.raises(SettingsError, match=r"typoform.*google_ads, hubspot, typeform"):
        read_settings(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(SettingsError, match="no settings file there"):
        read_settings(tmp_path / "nothing.toml")
