"""One night's steps after a short, a long and a very long history, and one with more to bring."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.measurement import Figure, Measurement, Row, Target
from bench.nights import first_day, step, vendors
from bench.rounds import Run

STEPS = ("ingest", "load", "transform", "audit", "publish")


@dataclass(frozen=True, slots=True)
class Night:
    """The measured night after `days` of history, the last `asked` of which are wanted anew."""

    days: int
    asked: int = 0

    @property
    def name(self) -> str:
        return f"{self.days:,} days" + (f", {self.asked:,} asked for anew" if self.asked else "")

    @property
    def asking(self) -> tuple[object, ...]:
        return ("--asked", first_day(self.asked)) if self.asked else ()


Runs = dict[tuple[Night, str], list[Run]]


def measure(scratch: Path, *, is_quick: bool, rounds: int) -> Measurement:
    lengths = (10, 20) if is_quick else (30, 300, 3_000)
    longest = lengths[-1]
    nights = [Night(days) for days in lengths]
    # From the first day on, it would be a first pull: the whole CRM.
    asked = Night(lengths[-2], asked=lengths[-2] - 1)
    start = ("--company-start", first_day(longest))
    landed = {days: step("prepare", scratch / f"{days}", days, *start) for days in lengths}
    runs: Runs = {}
    with vendors(scratch, longest) as base_url:
        for number in range(rounds):
            for night in _turned([*nights, asked], number):
                for name, one in _night(scratch, night, base_url):
                    runs.setdefault((night, name), []).append(one)
    short, same, long = nights[0], nights[-2], nights[-1]
    return Measurement(
        title="A night after a history, CPU s of each step",
        size={"times the shortest history": longest // lengths[0], "rounds": rounds},
        rows=[_row(night, runs, landed[night.days]) for night in (*nights, asked)],
        targets=_targets(runs, short, same, long, asked),
    )


def _turned(nights: Sequence[Night], number: int) -> Sequence[Night]:
    return nights if number % 2 else nights[::-1]


def _night(scratch: Path, night: Night, base_url: str) -> list[tuple[str, Run]]:
    """The steps of the measured night, on a copy that keeps owners: Postgres has its own user."""
    copy = scratch / "tonight"
    shutil.rmtree(copy, ignore_errors=True)
    subprocess.run(["cp", "-a", str(scratch / f"{night.days}"), str(copy)], check=True)
    options = ("--vendors", base_url, *night.asking)
    return [(name, step(name, copy, night.days, *options)) for name in STEPS]


def _cpu(runs: Runs, night: Night) -> float:
    return sum(median(one.cpu for one in runs[night, name]) for name in STEPS)


def _targets(runs: Runs, short: Night, same: Night, long: Night, asked: Night) -> list[Target]:
    by_history = _cpu(runs, same) - _cpu(runs, short)
    by_change = _cpu(runs, asked) - _cpu(runs, same)
    return [
        Target(
            f"CPU s of the night, {long.name} against {short.name}",
            _cpu(runs, long) / _cpu(runs, short),
            2,
        ),
        Target(
            f"CPU s added, {short.name} to {same.name}, against those by asking for days anew",
            by_history / by_change,
            1,
        ),
    ]


def _row(night: Night, runs: Runs, landed: Run) -> Row:
    figures: dict[str, Figure] = {
        name: median(one.cpu for one in runs[night, name]) for name in STEPS
    }
    figures["whole night"] = _cpu(runs, night)
    figures["peak MB"] = max(one.peak_mb for name in STEPS for one in runs[night, name])
    figures["batches before"] = float(landed.told["batches"])
    figures["rows loaded"] = float(runs[night, "load"][0].told["rows"])
    figures["rows of lists"] = float(runs[night, "load"][0].told["rows of lists"])
    figures["rows published"] = float(runs[night, "publish"][0].told["rows"])
    figures["rows changed"] = float(runs[night, "publish"][0].told["changed"])
    return Row(night.name, figures)
