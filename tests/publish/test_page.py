from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from publish.page import write_page
from publish.publication import publish

VOID = {"meta", "link", "br"}


class Outline(HTMLParser):
    """Open and close tags must match; texts, ids and references are collected."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "aria-labelledby"):
                self.references.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


@pytest.fixture
def html(installation: Any, database: Any) -> str:
    clock = installation.transform()
    publish(installation.home, installation.settings, clock, postgres_url=database.writer)
    page = write_page(installation.home, installation.settings, ["HubSpot <b>refused</b> us"])
    assert page == installation.home.site / "index.html"
    return page.read_text(encoding="utf-8")


@pytest.fixture
def outline(html: str) -> Outline:
    outline = Outline()
    outline.feed(html)
    outline.close()
    assert outline.open == []
    outline.text = re.sub(r"\s+", " ", outline.text)
    return outline


def test_what_vendors_and_people_wrote_is_only_text(html: str, outline: Outline) -> None:
    assert "script" not in outline.tags
    assert "b" not in outline.tags
    assert "<script>alert(1)</script>" in outline.text
    assert "Rahul <b>B</b>" in outline.text
    assert "HubSpot <b>refused</b> us" in outline.text
    assert "Northwind & Sons" in outline.text


def test_it_needs_nothing_from_anywhere(html: str, outline: Outline) -> None:
    assert re.search(r"https?://|//[a-z]|url\(|@import|javascript:", html) is None
    anchors = [reference for reference in outline.references if reference != "data:,"]
    assert {anchor.removeprefix("#") for anchor in anchors} <= set(outline.ids)
    assert len(outline.ids) == len(set(outline.ids))


def test_every_kpi_is_there_with_value_target_and_owner(outline: Outline) -> None:
    kpis = "F01 F04 F05 F07 F08 C01 C02 C05 C06 P01 P04 P05 P07 P08 L05 L07"
    for kpi in kpis.split():
        assert f"kpi-{kpi}" in outline.ids
    shown = (
        "€98,000", "Target €100,000, 96 % of its pace", "3.42 ×", "+38.2", "± 21 points",
        "rests on only 24", "41 days", "Lea Vogelsang",
    )  # fmt: skip
    for words in shown:
        assert words in outline.text


def test_the_four_perspectives_are_in_order(outline: Outline) -> None:
    order = [
        item for item in outline.ids if item in ("financial", "customer", "process", "learning")
    ]
    assert order == ["financial", "customer", "process", "learning"]


def test_what_is_wrong_stands_before_the_numbers(outline: Outline) -> None:
    text = outline.text
    for words in (
        "Before you use these numbers",
        "Northwind surveys (Typeform): 3 days behind.",
        "Numbers that need them end on 17 May 2026.",
        "Touches Net promoter score, Customer satisfaction and Survey completion rate.",
        "Northwind CRM (HubSpot): new data held back.",
        "12 rows report more clicks than impressions",
    ):
        assert words in text
        assert text.index(words) < text.index("Coverage")


def test_trust_and_bands_are_told_in_words(outline: Outline) -> None:
    for words in (
        "Out of date The data of Northwind surveys end on 17 May 2026",
        "Data through 17 May 2026.",
        "Would be amber",
        "Provisional May still change until",
        "Worst below: Red",
        "Coverage 83 %",
        "resting on 90 % of its weight",
    ):
        assert words in outline.text


def test_what_has_no_score_says_why(outline: Outline) -> None:
    """A perspective of the test's company is known in too small a part."""
    words = "Only 60 % of the weight below is known, too little for a score."
    assert outline.text.count(words) == 1


def test_an_objective_scored_by_quarter_says_so(outline: Outline) -> None:
    said = outline.text.partition("Not scored Worst below: Not scored ")[2].partition("Owner: ")[0]
    assert "Scored by quarter: in a month it has no score and no weight." in said


def _of(kpi: str, text: str) -> str:
    """What the page says of one KPI, up to what it means."""
    return text.partition(f"{kpi} ")[2].partition("What it means")[0]


def test_a_colour_that_may_still_change_is_not_shown_plainly(outline: Outline) -> None:
    said = _of("Return on ad spend (platform)", outline.text)
    assert "It may move by ±14.2 %, as days of the same age did, and that could change" in said
    assert "Would be amber" in said
    assert "Would be" not in _of("Conversion rate", outline.text)


def test_what_a_value_rests_on_is_told(outline: Outline) -> None:
    def said(kpi: str) -> str:
        return outline.text.partition(f"{kpi} ")[2].partition("Who keeps its data")[0]

    whole = "What it rests onAll days so far, 1 of 1 account and all rows."
    assert f"{whole} Its sums are those that the vendors sent." in said("Ad spend")
    assert said("Sales cycle").rstrip().endswith(whole)
    assert "1 of 1 account and 99.6 % of the rows" in said("Click-through rate")
    assert "0 of 1 account" in said("Net promoter score")


def test_a_kpi_shown_by_quarter_only_shows_its_newest_quarter(html: str, outline: Outline) -> None:
    said = _of("Team eNPS", outline.text)
    for words in (
        "+24.0",
        "Target +20.0",
        "2nd quarter of 2026 to date; shorter periods are hidden",
        "Quarter before +18.0",
        "Green",
        "May still change until 30 June 2026",
    ):
        assert words in said
    assert "hidden, so" not in said
    assert "Team eNPS in points, last 3 quarters" in html


def test_a_cohort_is_shown_when_it_is_old_enough(html: str, outline: Outline) -> None:
    said = _of("MQL to SQL rate", outline.text)
    for words in (
        "January 2026, the newest cohort that is old enough to judge",
        "May 2026 to date",
        "not scored before 29 August 2026",
        "Month before",
    ):
        assert words in said
    assert "MQL to SQL rate in percent, last 4 months: " in html  # October to January


def test_numbers_inside_a_formula_stand_beside_its_value(outline: Outline) -> None:
    assert "Days from spend to customer: 30." in _of(
        "Customer acquisition cost (advertising only)", outline.text
    )
    cohort = _of("MQL to SQL rate", outline.text)
    assert "Days to pass: 90." in cohort  # as they held in January, whose cohort it is
    assert cohort.count("Days to pass") == 1


def test_a_definition_says_what_is_above_and_below_the_line(outline: Outline) -> None:
    text = outline.text
    assert text.count("Above the lineOne <thing> Below the lineAnother thingCounted by") == 13
    assert text.count("What is countedOne <thing> Counted bycompany and day") == 3
    assert text.count("Where it comes fromA vendor") == 16


def test_a_hidden_quarter_is_not_explained_by_a_number_of_answers(
    installation: Any, database: Any
) -> None:
    clock = installation.transform(
        edit="update marts.fct_scorecard set value = null, no_data_reason = 'suppressed'"
        " where node_id = 'L05'"
    )
    publish(installation.home, installation.settings, clock, postgres_url=database.writer)
    text = write_page(installation.home, installation.settings).read_text(encoding="utf-8")
    assert "No value" in text
    assert "hidden, so that nobody&#39;s answer can be told from it" in text


def test_a_night_without_trouble_says_so(installation: Any, database: Any) -> None:
    clock = installation.transform(
        edit="update marts.fct_data_quality set state = 'pass', stream_state = 'fresh';"
        "update marts.fct_scorecard set dq_state = 'verified' where dq_state = 'suspect'"
    )
    publish(installation.home, installation.settings, clock, postgres_url=database.writer)
    text = write_page(installation.home, installation.settings).read_text(encoding="utf-8")
    assert "Nothing is wrong tonight" in text


def test_bands_are_shapes_too() -> None:
    template = Path(write_page.__code__.co_filename).parent / "templates" / "index.html"
    shapes = re.findall(r"band == '(\w[\w ]*)' %}(<\w+[^>]*>)", template.read_text("utf-8"))
    assert len(dict(shapes)) == 4
    assert len(set(dict(shapes).values())) == 4
