"""Which KPIs rest on a stream is read from the definitions and told by name."""

from __future__ import annotations

import csv
import shutil

import pytest

from expectations.resting import SEEDS, resting_on
from expectations.suites import SUITES
from ingest.registry import SOURCES


@pytest.fixture
def seeds(tmp_path):
    for name in ("kpi_sources.csv", "kpi_definitions.csv"):
        shutil.copy(SEEDS / name, tmp_path)
    return tmp_path


def append(path, **values):
    with path.open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, header, restval="").writerow(values)


@pytest.mark.parametrize(
    ("source", "stream", "said"),
    [
        ("typeform", "partial_responses", "Survey completion rate"),
        (
            "hubspot",
            "contacts",
            "New customers, Cost per lead, Customer acquisition cost (advertising only) "
            "and MQL to SQL rate",
        ),
        (
            "typeform",
            "responses",
            "Net promoter score, Customer satisfaction, Survey completion rate and Team eNPS",
        ),
        (
            "google_ads",
            "ads",
            "no KPI is counted from it; it describes what the KPIs of Google Ads count",
        ),
    ],
    ids=["one", "contacts", "answers", "none"],
)
def test_kpis_are_named_as_the_definitions_name_them(source, stream, said):
    assert resting_on(source, stream) == said


def test_a_definition_that_is_added_is_told(seeds):
    append(seeds / "kpi_sources.csv", kpi_id="C99", source="typeform", stream="partial_responses")
    append(seeds / "kpi_definitions.csv", kpi_id="C99", valid_from="2026-01-01", name="Patience")
    append(seeds / "kpi_definitions.csv", kpi_id="C99", valid_from="2027-01-01", name="Calm")
    assert (
        resting_on("typeform", "partial_responses", seeds=seeds)
        == "Survey completion rate and Calm"
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("kpi_sources.csv", None),
        ("kpi_definitions.csv", None),
        ("kpi_sources.csv", b"\xff\xfe\x00"),
        ("kpi_definitions.csv", b"kpi_id,name\nC05,Completion\n"),
        ("kpi_definitions.csv", b"kpi_id,valid_from,name\nF01,2025-01-01,Ad spend\n"),
        ("kpi_definitions.csv", b"kpi_id,valid_from,name\nC05\n"),
    ],
    ids=["no sources", "no definitions", "no text", "no dates", "another KPI", "a cut line"],
)
def test_definitions_that_cannot_be_read_stop_no_message(seeds, name, content):
    (seeds / name).unlink()
    if content is not None:
        (seeds / name).write_bytes(content)
    assert resting_on("typeform", "partial_responses", seeds=seeds) == "the KPIs of Typeform"


@pytest.mark.parametrize("source", SOURCES)
def test_every_stream_has_words(source):
    for stream in SUITES[source]:
        assert resting_on(source, stream) != f"the KPIs of {SOURCES[source].title}"
