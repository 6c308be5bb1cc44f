"""The bench measures at toy size: shapes, conservation, arithmetic; never how fast a thing is."""

from __future__ import annotations

import json

import pytest

from bench import __main__ as command
from bench.ad_rows import Report
from bench.measurement import Measurement, Row, Target, table
from bench.programs.ad_server import bodies
from bench.readers import rows as reader_rows
from bench.rounds import Command, CommandFailed, Run, interleaved, ratio, run

QUICK = {"gate": ("boscard's gate", "by hand in SQL"), "window": ("boscard's load", "bare")}


def measured(name, tmp_path):
    return command.MEASURES[name](tmp_path, is_quick=True, rounds=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gate", "window"])
def test_a_measurement_has_a_row_for_us_and_one_for_the_peer(name, tmp_path):
    found = measured(name, tmp_path)
    assert len(found.rows) == len(QUICK[name])
    for row, start in zip(found.rows, QUICK[name], strict=True):
        assert row.name.startswith(start)
        assert all(figure > 0 for figure in row.figures.values())
    assert found.targets


@pytest.mark.slow
def test_the_way_of_the_ad_rows_is_measured_without_and_with_rules(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.extract.PEER_PYTHON", tmp_path / "not installed")
    found = measured("extract", tmp_path)
    assert [row.name for row in found.rows] == ["boscard, no rules", "boscard, all rules"]
    assert found.size == {"rows": 1_000, "rounds": 1}
    assert found.notes


@pytest.mark.slow
def test_a_night_costs_in_each_step(tmp_path):
    found = measured("history", tmp_path)
    names = ["10 days", "20 days", "10 days, 9 asked for anew"]
    assert [row.name for row in found.rows] == names
    short, long, asked = (row.figures for row in found.rows)
    assert 0 < short["rows published"] < long["rows published"]
    assert short["rows loaded"] > 0
    assert short["batches before"] > 10 * 10
    assert long["batches before"] > 1.5 * short["batches before"]
    assert 0 < short["rows of lists"] < short["rows loaded"] < asked["rows loaded"]
    assert short["rows of lists"] < asked["rows of lists"]
    assert all(row["ingest"] > 0 for row in (short, long, asked))


@pytest.mark.slow
def test_readers_are_answered_while_nights_are_published(tmp_path):
    found = measured("readers", tmp_path)
    assert found.size["rows changed by each"] > 0
    idle, busy = found.rows
    assert idle.figures["answers"] > 0
    assert busy.figures["answers"] > 0


def test_readers_of_a_busy_server_are_held_against_those_of_an_idle_one():
    moments = [(0.0, "idle"), (10.0, "while a night is published"), (20.0, "")]
    waited = [(at / 10, 0.004 if at < 100 else 0.006) for at in range(200)]
    idle, busy = reader_rows([*waited, (20.0, 9.0)], moments)
    assert (idle.figures["p95 ms"], busy.figures["p95 ms"]) == pytest.approx((4, 6))
    assert busy.figures["p95 against idle"] == pytest.approx(1.5)
    assert "p95 against idle" not in idle.figures


def test_rows_are_unique_by_day_and_ad_and_the_same_each_time():
    report = Report(3, 250)
    rows = [row for page in report.pages() for row in page]
    assert len(set(rows)) == len(rows) == report.rows
    assert rows == [row for page in report.pages() for row in page]
    keys = {
        (row["segments"]["date"], row["adGroupAd"]["ad"]["id"]) for row in map(json.loads, rows)
    }
    assert len(keys) == report.rows


def test_each_answer_but_the_last_names_the_next():
    answers = [json.loads(body) for body in bodies(Report(3, 2))]
    assert [answer.get("nextPageToken") for answer in answers] == ["1", "2", None]
    assert [len(answer["results"]) for answer in answers] == [2, 2, 2]


def test_a_run_counts_the_process_and_keeps_what_it_told():
    found = run(["sh", "-c", "echo words; echo '{\"rows\": 3}'"])
    assert found.told == {"rows": 3}
    assert found.peak_mb > 0


def test_a_command_that_fails_is_not_a_figure():
    with pytest.raises(CommandFailed, match="no such batch"):
        run(["sh", "-c", "echo no such batch; exit 3"])


def test_rounds_take_turns_and_each_begins_in_an_empty_folder(tmp_path):
    order = tmp_path / "order"
    commands = [
        Command(
            name,
            ["sh", "-c", f"echo {name} >> {order}; mkdir {tmp_path}/{name}/left"],
            fresh=tmp_path / name,
        )
        for name in "ab"
    ]
    runs = interleaved(commands, 2)
    assert order.read_text().split() == ["a", "b", "b", "a"]
    assert {name: len(each) for name, each in runs.items()} == {"a": 2, "b": 2}
    assert list((tmp_path / "a").iterdir()) == [tmp_path / "a" / "left"]


def test_a_ratio_is_of_the_same_round():
    ours = [Run(0, cpu, 0) for cpu in (1.0, 10.0, 3.0)]
    theirs = [Run(0, cpu, 0) for cpu in (2.0, 20.0, 3.0)]
    assert ratio(ours, theirs, lambda one: one.cpu) == 0.5


def test_results_say_which_targets_are_met():
    found = Measurement("Title", {"rows": 2_000}, [Row("ours", {"CPU s": 1.5})],
        [Target("ratio", 1.5, 2), Target("peak MB", 700, 600)])  # fmt: skip
    content = json.loads(command.written(found, {"cores": 2}))
    assert [target["is_met"] for target in content["targets"]] == [True, False]
    assert content["machine"] == {"cores": 2}
    assert table(found).splitlines() == [
        "Title (2,000 rows)",
        "        CPU s",
        "  ours    1.5",
        "  met: ratio: 1.5 (at most 2)",
        "  MISSED: peak MB: 700 (at most 600)",
    ]
