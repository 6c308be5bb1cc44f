"""The commands that look at what nights left, as somebody types them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from boscard.home import PROJECT
from tests.end_to_end.conftest import Left
from tests.end_to_end.nights import Installation, command

Say = Callable[..., str]


@pytest.fixture
def say(installation: Installation, second: Left) -> Say:
    return partial(command, installation)


def test_a_value_is_explained_down_to_a_call_and_from_there_on(say: Say, second: Left) -> None:
    asked = ("explain", "P01", "2026-W43", "--segment", "search")
    told = say(*asked)
    assert "Click-through rate, week 2026-W43" in told
    whole = json.loads(say(*asked, "--json"))
    values = second.views["kpi_values"].set_index(["kpi_id", "period_type", "segment"])
    weeks = values.loc[("P01", "week", "search")].set_index("period_start")["value"]
    assert whole["value"]["value"] == pytest.approx(weeks[pd.Timestamp("2026-10-19")])
    call = whole["streams"][0]["batches"][0]["calls"][0]
    assert call["call_id"] in told
    assert call["sha256"] in told
    onward = ("explain", "--forward", call["call_id"])
    assert call["sha256"] in say(*onward)
    fed = {kpi["kpi_id"]: kpi for kpi in json.loads(say(*onward, "--json"))["kpis"]}
    assert "2026-W43" in fed["P01"]["periods"]["week"]


def test_views_are_printed_as_csv(say: Say, second: Left) -> None:
    printed = pd.read_csv(io.StringIO(say("read", "kpi_values", "--limit", "7")))
    assert len(printed) == 7
    assert set(second.views["kpi_values"].columns) == set(printed.columns)


def test_targets_are_tried_out(say: Say, tmp_path: Path) -> None:
    text = (PROJECT / "dbt_project/seeds/kpi_targets.csv").read_text("utf-8")
    path = tmp_path / "targets.csv"
    path.write_text(text, "utf-8")
    same = say("targets", "--file", str(path))
    path.write_text(re.sub(r"(?m)^(P01(?:,[^,]*){4}),[^,]*", r"\1,99", text), "utf-8")
    assert say("targets", "--file", str(path)) != same
