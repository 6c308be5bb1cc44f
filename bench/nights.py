"""Nights of the small company: the history before them, its vendors, their steps as processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from bench.programs.night import SCALE
from bench.rounds import Run, program, run
from sandbox.process import started

TONIGHT = date(2033, 12, 18)


def first_day(days: int) -> date:
    """Of a history of so many days before the measured night."""
    return TONIGHT - timedelta(days=days)


def step(name: str, root: Path, days: int, *options: object, night: date = TONIGHT) -> Run:
    """One step of a night as a process (bench.programs.night says which, and its options)."""
    return run(program("night", name, root, first_day(days), night, *options))


@contextmanager
def vendors(scratch: Path, days: int) -> Iterator[str]:
    """The address of the vendors, tonight, of a company of so many days: no measured process."""
    options = ("--start", first_day(days).isoformat(), "--scale", str(SCALE))
    log = scratch / "sandbox.log"
    with started(TONIGHT, log=log, has_limits=False, options=options) as base_url:
        yield base_url
