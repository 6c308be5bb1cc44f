from __future__ import annotations

import re
from xml.etree import ElementTree

from publish.charts import Trend, draw


def drawn(trend: Trend) -> ElementTree.Element:
    return ElementTree.fromstring(str(draw(trend)))


def test_a_gap_in_the_data_is_a_gap_in_the_line() -> None:
    svg = drawn(Trend("x", [1.0, 2.0, None, 4.0, 5.0]))
    assert len(svg.findall(".//path[@class='line']")) == 2


def test_the_target_is_a_line_of_its_own_and_the_last_value_is_marked() -> None:
    svg = drawn(Trend("x", [1.0, 2.0], reference=1.5))
    assert len(svg.findall(".//path[@class='target']")) == 1
    assert len(svg.findall(".//line[@class='dot last']")) == 1


def test_a_value_that_is_running_is_hollow_on_a_line_of_its_own() -> None:
    svg = drawn(Trend("x", [1.0, 2.0, 9.0], has_dots=True, is_running=True))
    [settled], [running] = (
        svg.findall(f".//path[@class='{kind}']") for kind in ("line", "line running")
    )
    assert (settled.get("d") or "").split()[-1] in (running.get("d") or "")
    assert len(svg.findall(".//line[@class='dot']")) == 2
    [last], [hole] = (svg.findall(f".//line[@class='dot {kind}']") for kind in ("last", "hole"))
    assert last.get("y1") == hole.get("y1")
    assert float(last.get("y1") or 0) < min(
        float(dot.get("y1") or 0) for dot in svg.findall(".//line[@class='dot']")
    )


def test_a_running_value_after_a_gap_stands_alone() -> None:
    svg = drawn(Trend("x", [1.0, 2.0, None, 9.0], is_running=True))
    assert len(svg.findall(".//line[@class='dot hole']")) == 1


def test_a_value_without_neighbours_is_a_dot_where_others_are_a_line() -> None:
    svg = drawn(Trend("x", [1.0, 2.0, None, 4.0, None, 5.0, 6.0]))
    assert len(svg.findall(".//line[@class='dot']")) == 1


def test_higher_values_are_drawn_higher() -> None:
    svg = drawn(Trend("x", [1.0, 9.0], has_dots=True))
    first, last = (float(dot.get("y1") or 0) for dot in svg.findall(".//line"))
    assert last < first


def test_vendor_text_in_the_label_is_escaped() -> None:
    svg = drawn(Trend('<script>"&', [1.0]))
    assert svg.get("aria-label") == '<script>"&'
    assert svg.get("role") == "img"


def test_nothing_of_the_library_but_marks_is_kept() -> None:
    text = str(draw(Trend("x", [1.0, 2.0], reference=1.0)))
    assert re.search("script|style|http|xlink|id=", text) is None
    assert draw(Trend("x", [1.0, 2.0])) == draw(Trend("x", [1.0, 2.0]))


def test_without_a_value_there_is_no_picture() -> None:
    assert draw(Trend("x", [None, None])) == ""
    assert draw(Trend("x", [])) == ""
