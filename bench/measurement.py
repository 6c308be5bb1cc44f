"""What a measurement found: rows of figures, and targets that are met or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Figure = float | str


@dataclass(frozen=True, slots=True)
class Row:
    """One way to do the work, and its figures by name and unit."""

    name: str
    figures: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Target:
    """What is promised: `found` is at most `limit`."""

    what: str
    found: float
    limit: float

    @property
    def is_met(self) -> bool:
        return self.found <= self.limit


@dataclass(frozen=True, slots=True)
class Measurement:
    """`size`: what was worked on, and how many rounds. `notes`: what a reader must know."""

    title: str
    size: Mapping[str, int]
    rows: Sequence[Row]
    targets: Sequence[Target] = ()
    notes: Sequence[str] = field(default=())


class Measure(Protocol):
    """Makes a measurement with files in a folder of its own; `is_quick`: at toy size."""

    def __call__(self, scratch: Path, *, is_quick: bool, rounds: int) -> Measurement: ...


def table(measurement: Measurement) -> str:
    """The measurement as text: a line a row, then a line a target."""
    names = list(dict.fromkeys(name for row in measurement.rows for name in row.figures))
    cells = [["", *names]]
    cells += [
        [row.name, *(_shown(row.figures.get(name, "")) for name in names)]
        for row in measurement.rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    size = ", ".join(f"{number:,} {what}" for what, number in measurement.size.items())
    lines = [f"{measurement.title} ({size})"]
    for first, *others in cells:
        shown = (other.rjust(width) for other, width in zip(others, widths[1:], strict=True))
        lines.append("  ".join([f"  {first.ljust(widths[0])}", *shown]))
    lines += [
        f"  {'met' if target.is_met else 'MISSED'}: {target.what}: "
        f"{_shown(target.found)} (at most {_shown(target.limit)})"
        for target in measurement.targets
    ]
    return "\n".join([*lines, *(f"  {note}" for note in measurement.notes)])


def _shown(figure: Figure) -> str:
    if isinstance(figure, str):
        return figure
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"
