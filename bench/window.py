"""Thirty days of ad rows replaced in a long history, beside a bare DuckDB delete and insert."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench.measurement import Measurement, Row, Target
from bench.rounds import Run, middle, program, ratio, run

OURS, BARE = "ours", "bare"
NAMES = {OURS: "boscard's load", BARE: "bare delete and insert"}


def measure(scratch: Path, *, is_quick: bool, rounds: int) -> Measurement:
    days, ads = (60, 20) if is_quick else (1_500, 33_334)
    seeded = scratch / OURS
    seeded.mkdir()
    run(program("window", "seed", seeded, days, ads, rounds))
    shutil.copytree(seeded, scratch / BARE)
    runs: dict[str, list[Run]] = {OURS: [], BARE: []}
    for number in range(rounds):
        for name in (OURS, BARE) if number % 2 else (BARE, OURS):
            runs[name].append(run(program("window", name, scratch / name, number)))
    assert {one.told["rows"] for each in runs.values() for one in each} == {30 * ads}
    return Measurement(
        title="Thirty days replaced in the history",
        size={"rows replaced": 30 * ads, "rows of history": days * ads, "rounds": rounds},
        rows=[
            Row(
                NAMES[name],
                {
                    "wall s": middle(each, lambda one: one.wall),
                    "CPU s": middle(each, lambda one: one.cpu),
                    "peak MB": middle(each, lambda one: one.peak_mb),
                    "file MB": (scratch / name / "warehouse.duckdb").stat().st_size / 1e6,
                },
            )
            for name, each in runs.items()
        ],
        targets=[
            Target("CPU against bare", ratio(runs[OURS], runs[BARE], lambda one: one.cpu), 2),
            Target("wall against bare", ratio(runs[OURS], runs[BARE], lambda one: one.wall), 2),
        ],
    )
