"""The list of what no test reaches is held against the measurement in both directions."""

from __future__ import annotations

import tomllib

import pytest

from boscard.home import PROJECT
from tests.uncovered import REASONS, complaints, may_be_reached, missing_lines, reasons

REPORT = {
    "files": {
        "ingest/a.py": {
            "functions": {
                "reached": {"missing_lines": []},
                "Class.half": {"missing_lines": [7, 9]},
                "": {"missing_lines": []},
            }
        }
    }
}


def test_lines_not_reached_are_told_by_function():
    assert missing_lines(REPORT) == {"ingest/a.py:Class.half": [7, 9]}


def test_functions_of_one_name_are_one_wherever_they_stand():
    functions = {"A.size": {"missing_lines": [12]}, "A.size@5": {"missing_lines": [6]}}
    assert missing_lines({"files": {"a.py": {"functions": functions}}}) == {"a.py:A.size": [6, 12]}


def test_lines_outside_of_functions_need_a_reason_too():
    functions = {"f": {"missing_lines": []}, "": {"missing_lines": [3]}}
    missing = missing_lines({"files": {"a.py": {"functions": functions}}})
    assert missing == {"a.py:": [3]}
    assert len(complaints(missing, {})) == 1


def test_what_is_missing_needs_a_reason_and_a_reason_something_missing():
    missing = missing_lines(REPORT)
    assert complaints(missing, {"ingest/a.py:Class.half": "because"}) == []
    [lacking] = complaints(missing, {})
    assert lacking.startswith("ingest/a.py:Class.half: lines 7, 9 ")
    assert len(complaints(missing, {"ingest/a.py:reached": "because"})) == 2


def test_what_depends_on_the_machine_needs_a_reason_and_may_be_reached():
    group = {"reason": "a race", "may_be_reached": True, "functions": ["a.py:f"]}
    content = {"uncovered": [group, {"reason": "x", "functions": ["a.py:g"]}]}
    varying = may_be_reached(content)
    assert complaints({"a.py:g": [1]}, reasons(content), varying) == []
    [lacking] = complaints({"a.py:g": [1], "a.py:h": [2]}, reasons(content), varying)
    assert lacking.startswith("a.py:h: lines 2 ")


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([{"reason": " ", "functions": ["a:b"]}], "no reason: a:b"),
        ([{"reason": "x", "functions": ["a:b", "a:b"]}], "named twice: a:b"),
    ],
)
def test_a_list_that_says_nothing_is_refused(groups, words):
    with pytest.raises(ValueError, match=words):
        reasons({"uncovered": groups})


def test_each_function_in_the_list_is_in_a_file_of_ours():
    named = reasons(tomllib.loads(REASONS.read_text(encoding="utf-8")))
    for name in named:
        file, _, function = name.partition(":")
        text = (PROJECT / file).read_text(encoding="utf-8")
        if function:
            assert f"def {function.rpartition('.')[2]}(" in text, name
