"""From a vendor's pages to typed rows in the warehouse, beside dlt."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measurement import Measurement, Row, Target
from bench.rounds import (
    PEER_PYTHON,
    PROJECT,
    Command,
    Run,
    interleaved,
    middle,
    peer,
    program,
    ratio,
)

OURS, GATED = "boscard, no rules", "boscard, all rules"
DLT, DLT_ARROW = "dlt, Parquet loader", "dlt yielding Arrow"


def measure(scratch: Path, *, is_quick: bool, rounds: int) -> Measurement:
    days, ads = (5, 200) if is_quick else (100, 10_000)
    with serving(days, ads) as url:
        commands = [
            Command(
                name,
                program("extract", url, scratch / rules, days, ads, rules),
                fresh=scratch / rules,
            )
            for name, rules in ((OURS, "without-rules"), (GATED, "with-rules"))
        ]
        if PEER_PYTHON.exists():
            commands += [
                Command(name, peer(script, url, scratch / script), fresh=scratch / script)
                for name, script in ((DLT, "dlt_rows"), (DLT_ARROW, "dlt_arrow"))
            ]
        runs = interleaved(commands, rounds)
    rows = days * ads
    assert {run.told["rows"] for each in runs.values() for run in each} == {rows}
    return Measurement(
        title="Extract, land and load typed",
        size={"rows": rows, "rounds": rounds},
        rows=[_row(name, each, rows) for name, each in runs.items()],
        targets=_targets(runs),
        notes=() if PEER_PYTHON.exists() else ("dlt: not installed, `make bench` does it",),
    )


def _row(name: str, runs: list[Run], rows: int) -> Row:
    return Row(
        name,
        {
            "CPU µs a row": middle(runs, _cpu) / rows * 1e6,
            "CPU s": middle(runs, _cpu),
            "wall s": middle(runs, lambda run: run.wall),
            "peak MB": middle(runs, _peak),
        },
    )


def _targets(runs: dict[str, list[Run]]) -> list[Target]:
    ours = runs[OURS]
    targets = [Target("peak MB", middle(ours, _peak), 600)]
    if DLT in runs:
        targets += [
            Target(f"CPU against {DLT}", ratio(ours, runs[DLT], _cpu), 1 / 8),
            Target(f"CPU against {DLT_ARROW}", ratio(ours, runs[DLT_ARROW], _cpu), 0.6),
        ]
    return targets


def _cpu(run: Run) -> float:
    return run.cpu


def _peak(run: Run) -> float:
    return run.peak_mb


@contextmanager
def serving(days: int, ads: int) -> Iterator[str]:
    """The address of a vendor with so many days and ads, in a process of its own."""
    server = subprocess.Popen(
        program("ad_server", days, ads), cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()
