"""The gate with twelve rules, beside the same written by hand in SQL."""

from __future__ import annotations

from pathlib import Path

from bench.measurement import Measurement, Row, Target
from bench.rounds import Command, interleaved, middle, program, ratio, run

OURS, BY_HAND = "boscard's gate", "by hand in SQL"


def measure(scratch: Path, *, is_quick: bool, rounds: int) -> Measurement:
    days, ads = (5, 200) if is_quick else (500, 20_000)
    run(program("gate", "land", scratch, days, ads))
    runs = interleaved(
        [
            Command(OURS, program("gate", "ours", scratch)),
            Command(BY_HAND, program("gate", "by-hand", scratch)),
        ],
        rounds,
    )
    rows = days * ads
    assert {one.told["rows"] for each in runs.values() for one in each} == {rows}
    return Measurement(
        title="Gate: landed lines to typed Parquet, twelve rules",
        size={"rows": rows, "rounds": rounds},
        rows=[
            Row(
                name,
                {
                    "wall s": middle(each, lambda one: one.wall),
                    "CPU s": middle(each, lambda one: one.cpu),
                    "peak MB": middle(each, lambda one: one.peak_mb),
                },
            )
            for name, each in runs.items()
        ],
        targets=[
            Target("CPU against SQL", ratio(runs[OURS], runs[BY_HAND], lambda one: one.cpu), 4),
            Target("wall against SQL", ratio(runs[OURS], runs[BY_HAND], lambda one: one.wall), 4),
            Target("peak MB", middle(runs[OURS], lambda one: one.peak_mb), 2000),
        ],
    )
