"""Trend lines as small inline SVG: pygal does the geometry, the page's own style the rest.

Only the drawn marks are kept of what pygal renders: its scripts, styles, comments and random ids
have no place in a static page that is the same when nothing changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pygal
from markupsafe import Markup, escape

WIDTH, HEIGHT, MARGIN = 240, 56, 5
VALUES, RUNNING, REFERENCE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Trend:
    """One line of values in time, oldest first; None where there is none, a gap in the line.

    A last value that is still running is drawn hollow, on a dotted line: it may not be compared.
    """

    label: str
    values: Sequence[float | None]
    reference: float | None = None
    bounds: tuple[float, float] | None = None
    has_dots: bool = False
    is_running: bool = False


def draw(trend: Trend) -> Markup:
    """The trend as an SVG image with its label as the accessible name; empty without any value."""
    if all(value is None for value in trend.values):
        return Markup("")
    marks = "".join(_marks(trend))
    label = escape(trend.label)
    return Markup(  # noqa: S704
        f'<svg class="trend" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}"><title>{label}</title>'
        f'<g transform="translate({MARGIN} {MARGIN})">{marks}</g></svg>'
    )


def _marks(trend: Trend) -> Iterator[str]:
    lines: list[str] = []
    dots: dict[int, list[str]] = {VALUES: [], RUNNING: []}
    for series, mark in _drawn(trend):
        if mark.tag == "path" and series == REFERENCE:
            yield f'<path class="target" d="{_rounded(mark.get("d"))}"/>'
        elif mark.tag == "path":
            kind = "line running" if series == RUNNING else "line"
            lines.append(f'<path class="{kind}" d="{_rounded(mark.get("d"))}"/>')
        elif series != REFERENCE:
            x, y = float(mark.get("cx")), float(mark.get("cy"))
            dots[series].append(f'x1="{x:.1f}" y1="{y:.1f}" x2="{x:.1f}" y2="{y:.1f}"/>')
    yield from lines
    *others, last = dots[VALUES] + dots[RUNNING][-1:]
    # A line of no length with round caps is a dot that stays round however the image is stretched.
    for dot, is_alone in zip(others, _alone(trend.values), strict=False):
        if trend.has_dots or is_alone:
            yield f'<line class="dot" {dot}'
    yield f'<line class="dot last" {last}'
    if trend.is_running:
        yield f'<line class="dot hole" {last}'


def _alone(values: Sequence[float | None]) -> Iterator[bool]:
    """For each value that is known, whether it has no neighbour to draw a line to."""
    padded = [None, *values, None]
    for before, value, after in zip(padded, values, padded[2:], strict=False):
        if value is not None:
            yield before is None and after is None


def _rounded(path: str) -> str:
    """Coordinates to a tenth of a point, which is less than a pixel."""
    return re.sub(r"\.(\d)\d+", r".\1", path)


def _drawn(trend: Trend) -> Iterator[tuple[int, Any]]:
    """The lines and dots that pygal drew, each with the number of its series."""
    chart = pygal.Line(
        width=WIDTH,
        height=HEIGHT,
        margin=MARGIN,
        range=trend.bounds or _bounds(trend),
        allow_interruptions=True,
        show_legend=False,
        show_x_labels=False,
        show_y_labels=False,
        js=[],
    )
    settled = [*trend.values[:-1], None] if trend.is_running else list(trend.values)
    running = [None] * (len(settled) - 2) + list(trend.values[-2:]) if trend.is_running else []
    chart.add("values", settled)
    chart.add("running", running)
    if trend.reference is not None:
        chart.add("reference", [trend.reference] * len(trend.values))
    for group in chart.render_tree().iter():
        classes = str(group.get("class", "")).split()
        if "series" not in classes:
            continue
        series = int(next(name for name in classes if name.startswith("serie-")).split("-")[1])
        for mark in group.iter():
            if mark.tag in ("path", "circle"):
                yield series, mark


def _bounds(trend: Trend) -> tuple[float, float]:
    known = [value for value in (*trend.values, trend.reference) if value is not None]
    low, high = min(known), max(known)
    room = (high - low) * 0.08 or abs(high) * 0.08 or 1.0
    return low - room, high + room
