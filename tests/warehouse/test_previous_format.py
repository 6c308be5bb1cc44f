"""Batches that an earlier version landed: what lies there was seldom written by today's version.

`landing_of_format_1` was written by Boscard as it was before vendors' own counts, soft checks on
rows and released bytes came to a batch's folder.
"""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from boscard.clock import Clock
from boscard.home import PROJECT, Home
from boscard.settings import read_settings
from expectations.gate import gate_source
from expectations.verdict import read_verdict
from ingest.batch import FORMAT, MANIFEST, QUARANTINE, TYPED, VERDICT
from ingest.errors import Refused
from ingest.landing import Landing
from tests.warehouse.landed import KEY
from warehouse.load import load

SETTINGS = read_settings(PROJECT / "boscard.toml")
NIGHT = date(2026, 11, 1)
CLOCK = Clock(NIGHT, SETTINGS.company.zone, SETTINGS.company.publication_hour)
ROWS = {
    "google_ads__campaign_daily": 56,
    "hubspot__contacts": 113,
    "hubspot__deal_contacts": 10,
    "hubspot__owners": 17,
    "typeform__responses": 18,
}


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "var")
    shutil.copytree(Path(__file__).parent / "landing_of_format_1", home.landing)
    return home


def rows(home):
    with duckdb.connect(str(home.warehouse), read_only=True) as warehouse:
        return {
            table: warehouse.execute(f"select count(*) from raw.{table}").fetchall()[0][0]
            for table in ROWS
        }


def test_they_are_loaded_by_their_own_verdicts(home):
    report = load(home, SETTINGS, CLOCK, KEY)
    assert (len(report.loaded), report.held, report.ungated) == (len(ROWS), (), ())
    assert rows(home) == ROWS


def test_they_are_judged_anew_from_the_vendors_bytes(home):
    batches = Landing(home.landing).batches()
    for batch in batches:
        for name in (TYPED, QUARANTINE, VERDICT):
            (batch.path / name).unlink()
    for source in SETTINGS.sources:
        gate_source(source, landing=Landing(home.landing), settings=SETTINGS, spilled=home.spilled)
    verdicts = [read_verdict(batch) for batch in batches]
    assert [verdict.state for verdict in verdicts] == ["passed"] * len(ROWS)
    load(home, SETTINGS, CLOCK, KEY)
    assert rows(home) == ROWS


def test_a_batch_of_a_later_format_is_refused_whatever_its_fields(home):
    path = next(home.landing.rglob(MANIFEST))
    path.write_text(json.dumps({"format": FORMAT + 1, "identity": "of tomorrow"}), "utf-8")
    with pytest.raises(Refused, match=rf"{MANIFEST} is of format 2 .* knows 1.*the version that"):
        Landing(home.landing).batches()
