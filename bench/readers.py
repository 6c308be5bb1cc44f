"""How long dashboard readers wait while nights are published, and while nothing is."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from statistics import quantiles

from bench.measurement import Measurement, Row
from bench.nights import TONIGHT, step, vendors
from bench.rounds import CommandFailed, environment, program
from boscard.home import Home
from publish.embedded import running

READERS = 8
IDLE, BUSY = "idle", "while a night is published"


def measure(scratch: Path, *, is_quick: bool, rounds: int) -> Measurement:
    days, readers, seconds = (10, 2, 1) if is_quick else (300, READERS, 20)
    tonight, before = scratch / "tonight", scratch / "before"
    step("prepare", tonight, days)
    _earlier(tonight, before)
    with vendors(scratch, days) as base_url:
        step("ingest", tonight, days, "--vendors", base_url)
    for name in ("load", "transform"):
        step(name, tonight, days)
    changed: list[int] = []
    stop = scratch / "stop"
    moments = []
    with running(Home(tonight / "var")):
        children = [
            subprocess.Popen(
                program("reader", tonight, stop),
                env=environment(),
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(readers)
        ]
        try:
            time.sleep(min(seconds, 3))
            for _ in range(rounds):
                moments.append((time.time(), IDLE))
                time.sleep(seconds)
                moments.append((time.time(), BUSY))
                for root, night in ((tonight, TONIGHT), (before, TONIGHT - timedelta(days=1))):
                    published = step("publish", root, days, "--postgres", tonight, night=night)
                    changed.append(published.told["changed"])
            moments.append((time.time(), ""))
        finally:
            stop.touch()
            outputs = [child.communicate()[0] for child in children]
    if any(child.returncode for child in children):
        raise CommandFailed("a reader ended with an error: it must never see one")
    waited = [pair for output in outputs for pair in json.loads(output)["waited"]]
    return Measurement(
        title="Dashboard readers of Postgres",
        size={
            "readers": readers,
            "days published": days,
            "publications": len(changed),
            "rows changed by each": round(sum(changed) / len(changed)),
        },
        rows=rows(waited, moments),
    )


def _earlier(tonight: Path, before: Path) -> None:
    """The night before as a home of its own, which is published to the same places."""
    var = before / "var"
    var.mkdir(parents=True)
    for part in ("warehouse", "dbt"):
        shutil.copytree(tonight / "var" / part, var / part)
    (var / "publications").symlink_to(tonight / "var" / "publications")


def rows(waited: list[tuple[float, float]], moments: list[tuple[float, str]]) -> list[Row]:
    """The two phases, and by how much readers wait longer in the second.

    `waited`: when an answer came and its seconds; `moments`: when a phase began, `""` is the end.
    """
    idle, busy = (_row(phase, waited, moments) for phase in (IDLE, BUSY))
    against = float(busy.figures["p95 ms"]) / float(idle.figures["p95 ms"])
    return [idle, Row(busy.name, {**busy.figures, "p95 against idle": against})]


def _row(phase: str, waited: list[tuple[float, float]], moments: list[tuple[float, str]]) -> Row:
    spans = [(start, end) for (start, name), (end, _) in pairwise(moments) if name == phase]
    found = [
        seconds * 1000 for at, seconds in waited if any(start <= at < end for start, end in spans)
    ]
    hundredths = quantiles(found, n=100)
    return Row(
        phase,
        {
            "p50 ms": hundredths[49],
            "p95 ms": hundredths[94],
            "longest ms": max(found),
            "answers": float(len(found)),
            "seconds": sum(end - start for start, end in spans),
        },
    )
