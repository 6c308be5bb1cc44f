"""How far a long pull is, for whoever watches."""

from __future__ import annotations

import sys
import threading
import time
from typing import Protocol, TextIO

from ingest.batch import Unit


class Progress(Protocol):
    """Told from several threads: each unit starts, brings pages, and ends with a word."""

    def started(self, unit: Unit) -> None: ...

    def page(self, unit: Unit, rows: int) -> None: ...

    def ended(self, unit: Unit, outcome: str) -> None: ...


class Quiet:
    """Says nothing."""

    def started(self, unit: Unit) -> None:
        return None

    def page(self, unit: Unit, rows: int) -> None:
        return None

    def ended(self, unit: Unit, outcome: str) -> None:
        return None


class Lines:
    """A plain line when a unit ends, and one every `every` seconds while it runs."""

    def __init__(self, stream: TextIO | None = None, every: float = 10.0) -> None:
        self._stream = stream or sys.stderr
        self._every = every
        self._rows: dict[Unit, int] = {}
        self._spoken: dict[Unit, float] = {}
        self._lock = threading.Lock()

    def started(self, unit: Unit) -> None:
        with self._lock:
            self._rows[unit] = 0
            self._spoken[unit] = time.monotonic()

    def page(self, unit: Unit, rows: int) -> None:
        with self._lock:
            self._rows[unit] = self._rows.get(unit, 0) + rows
            if time.monotonic() - self._spoken.get(unit, 0.0) >= self._every:
                self._spoken[unit] = time.monotonic()
                self._say(unit, f"{self._rows[unit]:,} rows so far")

    def ended(self, unit: Unit, outcome: str) -> None:
        with self._lock:
            self._say(unit, outcome)

    def _say(self, unit: Unit, words: str) -> None:
        self._stream.write(f"{unit_label(unit)}: {words}\n")
        self._stream.flush()


def unit_label(unit: Unit) -> str:
    """A unit in a person's words: source, account, stream and days."""
    days = f" {unit.window.start}..{unit.window.end}" if unit.window else ""
    return f"{unit.source} {unit.account} {unit.stream}{days}"
