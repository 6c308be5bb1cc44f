"""Each line of a night's log says of which source, account, stream and batch it is, as fields."""

from __future__ import annotations

import io
import json
import logging
from datetime import date

import pytest
import structlog

from boscard.clock import Clock
from boscard.home import PROJECT, Home
from boscard.logs import about
from boscard.settings import read_settings
from ingest.batch import Unit
from ingest.landing import Landing
from tests.warehouse.landed import land
from warehouse.connection import connect
from warehouse.load import load_night
from warehouse.personal import HashKey

SETTINGS = read_settings(PROJECT / "boscard.toml")
DAY = date(2026, 1, 5)
UNIT = Unit("google_ads", "1", "campaign_daily", None)


@pytest.fixture
def lines():
    """What is logged meanwhile, by the processors that Airflow's own logs go through."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler.setFormatter(formatter)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(before)


def test_a_line_within_is_about_the_unit_and_one_after_is_not(lines):
    with about(UNIT):
        logging.getLogger("any").warning("within")
    logging.getLogger("any").warning("after")
    assert lines() == [
        {"event": "within", "source": "google_ads", "account": "1", "stream": "campaign_daily"},
        {"event": "after"},
    ]


def test_a_loaded_batch_is_named(lines, tmp_path):
    landing = Landing(Home(tmp_path).landing)
    row = {"campaign_id": "1", "report_date": DAY}
    batch = land(landing, "google_ads", "1", "campaign_daily", [row], as_of=DAY, window=(DAY, DAY))
    company = SETTINGS.company
    connection = connect(tmp_path / "warehouse.duckdb")
    clock = Clock(DAY, company.zone, company.publication_hour)
    load_night(connection, landing.names(), SETTINGS, clock, HashKey(b"k" * 32))
    connection.close()
    [line] = [line for line in lines() if line["event"].startswith("loaded")]
    assert line == {
        "event": "loaded: 1 rows",
        "source": "google_ads",
        "account": "1",
        "stream": "campaign_daily",
        "batch": batch.manifest.batch_id,
    }
