"""The settings file: what is wrong is told with file, key, what it is and what would be right."""

from __future__ import annotations

import typing

import pytest
from pydantic import BaseModel

from boscard.home import PROJECT
from boscard.settings import RIGHT, Settings, SettingsError, read_settings
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
            ["company.reporting_currency: 'euro'", "write an ISO code such as 'EUR'"],
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
            ["company.publication_hour: 24", "write a whole hour from 0 to 23"],
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
        pytest.param(
            'account = "4185550102"',
            'account = "reports"',
            ["accounts.1.account", "'reports'"],
            id="an account whose folder is taken",
        ),
        *(
            pytest.param(
                "history_start = 2025-10-01",
                f"history_start = {number}",
                ["company.history_start: ", "write a date such as 2025-10-01"],
                id=f"a day that is the number {number}",
            )
            for number in ("0", "20251001", "1.5", '"0"', "true")
        ),
        pytest.param(
            'account = "4185550102"',
            'account = ".."',
            ["accounts.1.account: '..'", "no '.' first"],
            id="an account that is the folder above",
        ),
        pytest.param(
            'account = "4185550102"',
            'account = "."',
            ["accounts.1.account: '.'", "no '.' first"],
            id="an account that is the folder itself",
        ),
        pytest.param(
            'account = "4185550102"',
            'account = "418-555-0102"',
            ["accounts.1.account: '418-555-0102'", "without dashes, 10 digits", "'4185550101'"],
            id="a Google Ads id with dashes",
        ),
        pytest.param(
            'account = "24601001"',
            'account = "northwind"',
            ["accounts.2.account: 'northwind'", "the portal id", "'24601001'"],
            id="a HubSpot portal's name",
        ),
        pytest.param(
            'account = "4185550102"',
            "account = 4185550102",
            ["accounts.1.account: 4185550102", "write the vendor's id in quotes"],
            id="an id that is a number",
        ),
        pytest.param(
            'connection = "hubspot"',
            'connection = "google_ads"',
            ["'google_ads' is named for google_ads and for hubspot", "of its own for each source"],
            id="one connection for two sources",
        ),
        pytest.param(
            'connection = "hubspot"',
            'connection = "Hub Spot"',
            ["accounts.2.connection: 'Hub Spot'", "such as 'google_ads'"],
            id="a connection that cannot be named in the environment",
        ),
        *(
            pytest.param(
                "[sandbox]",
                f'[landing]\nurl = "{url}"\n[sandbox]',
                [f"landing.url: '{url}'", "such as 's3://a-bucket/boscard', without a key"],
                id=f"landing in {url}",
            )
            for url in (
                *("/mnt/landing", "s3://", "s3://Bucket", "s3://bucket/", "s3://bucket//a"),
                *("s3://key:secret@bucket", "s3://bucket/a?b"),
            )
        ),
        pytest.param(
            "[sandbox]",
            '[landing]\nurl = "s3://bucket"\nconnection = "hubspot"\n[sandbox]',
            ["'hubspot' is named for landing and for an account", "of its own for each"],
            id="landing by a vendor's connection",
        ),
        pytest.param(
            "[sandbox]",
            '[landing]\nconnection = "storage"\n[sandbox]',
            ["landing.connection is named without landing.url; write both, or neither"],
            id="a connection to no landing",
        ),
        pytest.param(
            "history_start = 2025-10-01",
            'history_start = ""',
            ["company.history_start: ''", "write a date such as 2025-10-01"],
            id="a date that is none",
        ),
        pytest.param(
            "history_start = 2025-10-01\n",
            "",
            ["company.history_start is missing", "write a date such as 2025-10-01"],
            id="no date",
        ),
        pytest.param(
            "seed = 7",
            "scale = 0",
            ["sandbox.scale: 0", "write a number above 0 and not above 10"],
            id="a company of nobody",
        ),
        pytest.param(
            "[sandbox]",
            "[publication]\nkeep = 0\n[sandbox]",
            ["publication.keep: 0", "write a whole number from 1"],
            id="no publication kept",
        ),
        pytest.param(
            "[company]",
            "[[company]]",
            ["company is not right", "below a line [company]"],
            id="a section written as a list",
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


def test_every_account_that_its_source_refuses_is_told_at_once(tmp_path):
    text = GOOD.replace("4185550101", "418-555-0101").replace("4185550102", "418")
    with pytest.raises(SettingsError) as raised:
        read_settings(written(tmp_path, text))
    lines = str(raised.value).splitlines()
    assert ["accounts.0.account" in lines[0], "accounts.1.account" in lines[1]] == [True, True]


def names(model):
    for name, field in model.model_fields.items():
        yield name
        inner = [field.annotation, *typing.get_args(field.annotation)]
        for kind in inner:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from names(kind)


def test_of_every_setting_it_is_known_what_would_be_right():
    assert set(names(Settings)) == set(RIGHT)


def test_a_source_that_is_not_registered_is_told(tmp_path):
    path = written(tmp_path, GOOD.replace('source = "typeform"', 'source = "typoform"'))
    with pytest.raises(SettingsError, match=r"typoform.*google_ads, hubspot, typeform"):
        read_settings(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(SettingsError, match="no settings file there"):
        read_settings(tmp_path / "nothing.toml")
