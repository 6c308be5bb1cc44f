"""One night's steps after a short, a long and a very long history, with the same change."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from statistics import median

from bench.measurement import Figure, Measurement, Row, Target
from bench.rounds import Run, program, run

STEPS = ("ask", "load", "transform", "audit", "publish")


def measure(scratch: Path, *, is_quick: bool, rounds: int) -> Measurement:
    lengths = (10, 20) if is_quick else (30, 300, 3_000)
    for days in lengths:
        run(program("night", "prepare", scratch / f"{days}", days))
    runs: dict[tuple[int, str], list[Run]] = {}
    for number in range(rounds):
        for days in lengths if number % 2 else reversed(lengths):
            for step, one in _night(scratch, days):
                runs.setdefault((days, step), []).append(one)
    shortest, longest = lengths[0], lengths[-1]
    return Measurement(
        title="A night after a history, CPU s of each step",
        size={"times the shortest history": longest // shortest, "rounds": rounds},
        rows=[_row(days, runs) for days in lengths],
        targets=[
            Target(
                f"CPU s of the night, {longest:,} days against {shortest:,}",
                _cpu(runs, longest) / _cpu(runs, shortest),
                2,
            )
        ],
    )


def _night(scratch: Path, days: int) -> list[tuple[str, Run]]:
    """The steps of the measured night, on a copy that keeps owners: Postgres has its own user."""
    copy = scratch / "tonight"
    shutil.rmtree(copy, ignore_errors=True)
    subprocess.run(["cp", "-a", str(scratch / f"{days}"), str(copy)], check=True)
    return [(step, run(program("night", step, copy, days))) for step in STEPS]


def _cpu(runs: dict[tuple[int, str], list[Run]], days: int) -> float:
    return sum(median(one.cpu for one in runs[days, step]) for step in STEPS)


def _row(days: int, runs: dict[tuple[int, str], list[Run]]) -> Row:
    figures: dict[str, Figure] = {
        step: median(one.cpu for one in runs[days, step]) for step in STEPS
    }
    figures["whole night"] = _cpu(runs, days)
    figures["peak MB"] = max(one.peak_mb for step in STEPS for one in runs[days, step])
    figures["batches landed"] = float(runs[days, "ask"][0].told["batches"])
    figures["rows loaded"] = float(runs[days, "load"][0].told["rows"])
    figures["rows published"] = float(runs[days, "publish"][0].told["rows"])
    figures["rows changed"] = float(runs[days, "publish"][0].told["changed"])
    return Row(f"{days:,} days", figures)
