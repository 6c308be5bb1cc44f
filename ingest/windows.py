"""Arithmetic over windows of whole days. Nothing here knows a stream, a ledger or a clock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from ingest.batch import Window

DAY = timedelta(days=1)


def merge(windows: Iterable[Window]) -> list[Window]:
    """The same days as few windows, in order; overlapping and adjacent ones become one."""
    merged: list[Window] = []
    for window in sorted(windows):
        if merged and window.start <= merged[-1].end + DAY:
            merged[-1] = Window(merged[-1].start, max(merged[-1].end, window.end))
        else:
            merged.append(window)
    return merged


def subtract(windows: Iterable[Window], taken: Iterable[Window]) -> list[Window]:
    """The days of `windows` that are in none of `taken`."""
    left = merge(windows)
    for hole in merge(taken):
        left = [part for window in left for part in _around(window, hole)]
    return left


def gaps(done: Iterable[Window], whole: Window) -> list[Window]:
    """The days of `whole` that are in none of `done`."""
    return subtract([whole], done)


def clip(windows: Iterable[Window], whole: Window) -> list[Window]:
    """The days of `windows` that are in `whole`."""
    return [
        Window(max(window.start, whole.start), min(window.end, whole.end))
        for window in merge(windows)
        if window.start <= whole.end and window.end >= whole.start
    ]


def split(window: Window, longest: int) -> list[Window]:
    """The window in parts of at most `longest` days, from its start."""
    if longest < 1:
        raise ValueError(f"a part is at least one day long, not {longest}")
    parts = []
    start = window.start
    while start <= window.end:
        end = min(start + timedelta(days=longest - 1), window.end)
        parts.append(Window(start, end))
        start = end + DAY
    return parts


def _around(window: Window, hole: Window) -> Iterable[Window]:
    if hole.end < window.start or hole.start > window.end:
        yield window
        return
    if window.start < hole.start:
        yield Window(window.start, hole.start - DAY)
    if hole.end < window.end:
        yield Window(hole.end + DAY, window.end)
