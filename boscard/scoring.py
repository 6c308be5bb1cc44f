"""How a KPI value becomes a score, and scores become the score of a whole.

Pure functions over plain numbers. The warehouse computes the same in SQL
(dbt_project/macros/scoring.sql); a test holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Direction = Literal["increase", "decrease", "maintain"]
Band = Literal["green", "amber", "red", "no data", "not scored"]

GREEN_FROM = 2 / 3
AMBER_FROM = 1 / 3
LEAST_COVERAGE = 0.7


class DefinitionError(ValueError):
    """A target cannot be used; the message says which of its numbers contradict each other."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked of a KPI: thresholds in the KPI's own unit.

    increase, decrease: `green_from` and `red_below`, whose order carries the direction.
    maintain: the range `low` to `high`; at the distance `tolerance` from it the score is 0.
    `baseline` and `target` are for progress alone.
    """

    direction: Direction
    green_from: float | None = None
    red_below: float | None = None
    low: float | None = None
    high: float | None = None
    tolerance: float | None = None
    baseline: float | None = None
    target: float | None = None

    def __post_init__(self) -> None:
        if self.direction == "maintain":
            self._check_range()
        else:
            self._check_thresholds()

    def _check_range(self) -> None:
        if self.low is None or self.high is None or self.tolerance is None:
            raise DefinitionError("direction maintain needs low, high and tolerance")
        if self.low > self.high:
            raise DefinitionError(f"low {self.low:g} lies above high {self.high:g}; exchange them")
        if self.tolerance <= 0:
            raise DefinitionError(f"tolerance {self.tolerance:g} must be above 0")

    def _check_thresholds(self) -> None:
        if self.green_from is None or self.red_below is None:
            raise DefinitionError(f"direction {self.direction} needs green_from and red_below")
        if self.green_from == self.red_below:
            raise DefinitionError(
                f"green_from and red_below are both {self.green_from:g}; leave room for amber"
            )
        if (self.green_from > self.red_below) != (self.direction == "increase"):
            raise DefinitionError(
                f"green_from {self.green_from:g} and red_below {self.red_below:g} say the "
                f"opposite of direction {self.direction}; exchange them or correct the direction"
            )


def score(value: float | None, target: Target) -> float | None:
    """The score from 0 to 1: 1/3 at `red_below`, 2/3 at `green_from`. No value has no score."""
    if value is None:
        return None
    if target.direction == "maintain":
        assert target.low is not None
        assert target.high is not None
        assert target.tolerance is not None
        distance = max(target.low - value, value - target.high, 0.0)
        return _clamp(1 - distance / target.tolerance)
    assert target.green_from is not None
    assert target.red_below is not None
    return _clamp((1 + (value - target.red_below) / (target.green_from - target.red_below)) / 3)


def band(scored: float | None, *, has_target: bool = True) -> Band:
    """The colour of a score. A missing score is a state of its own, never red."""
    if not has_target:
        return "not scored"
    if scored is None:
        return "no data"
    if scored >= GREEN_FROM:
        return "green"
    return "amber" if scored >= AMBER_FROM else "red"


def band_may_change(value: float, may_move_by: float, target: Target) -> bool:
    """Whether a value that may move by this share of itself, up or down, could leave its band.

    The score is lowest at one of the ends; in a range to keep it may be highest between them.
    """
    reached = [value * (1 - may_move_by), value * (1 + may_move_by)]
    if target.low is not None and target.high is not None:
        reached.append(sorted([*reached, (target.low + target.high) / 2])[1])
    return len({band(score(one, target)) for one in reached}) > 1


def progress(value: float | None, target: Target) -> float | None:
    """The share of the way from baseline to target that is done; not cut off at 0 and 1."""
    if (
        value is None
        or target.baseline is None
        or target.target is None
        or target.target == target.baseline
    ):
        return None
    return (value - target.baseline) / (target.target - target.baseline)


def pace(value: float | None, target: Target, elapsed_share: float) -> float | None:
    """Progress against the share of the period that is over (1 is on schedule), if cumulative."""
    done = progress(value, target)
    return None if done is None or elapsed_share <= 0 else done / elapsed_share


def to_full_period(value: float | None, elapsed_share: float) -> float | None:
    """What a cumulative KPI comes to if its period goes on as it did so far; this is scored."""
    return None if value is None or elapsed_share <= 0 else value / elapsed_share


@dataclass(frozen=True, slots=True)
class Child:
    """One part of a whole. `coverage`: the share of its own weight that stands behind its score."""

    weight: float
    score: float | None
    coverage: float = 1.0
    worst_status: Band | None = None
    red_count: int | None = None


@dataclass(frozen=True, slots=True)
class RollUp:
    """The score of a whole; `contributions`, in the order of the children, add up to it."""

    score: float | None
    coverage: float
    band: Band
    worst_status: Band
    red_count: int
    contributions: tuple[float | None, ...]


_WORST_FIRST: tuple[Band, ...] = ("red", "amber", "green", "no data", "not scored")


def roll_up(children: Sequence[Child], least_coverage: float = LEAST_COVERAGE) -> RollUp:
    """The weighted mean of the known children.

    Children of weight 0 take no part. Coverage is the share of all weight that stands behind the
    score; below `least_coverage` there is no score.
    """
    parts = [child for child in children if child.weight > 0]
    known = [child for child in parts if child.score is not None]
    all_weight = math.fsum(child.weight for child in parts)
    known_weight = math.fsum(child.weight for child in known)
    coverage = (
        math.fsum(child.weight * child.coverage for child in known) / all_weight if parts else 0.0
    )
    bands = {child.worst_status or band(child.score) for child in parts}
    worst = next((status for status in _WORST_FIRST if status in bands), _WORST_FIRST[-1])
    reds = sum(
        child.red_count if child.red_count is not None else band(child.score) == "red"
        for child in parts
    )
    if not known or coverage < least_coverage - 1e-9:
        state = band(None, has_target=bool(parts))
        return RollUp(None, coverage, state, worst, reds, (None,) * len(children))
    contributions = tuple(_contribution(child, known_weight) for child in children)
    total = math.fsum(part for part in contributions if part is not None)
    return RollUp(total, coverage, band(total), worst, reds, contributions)


def _contribution(child: Child, known_weight: float) -> float | None:
    if child.score is None or child.weight <= 0:
        return None
    return child.weight / known_weight * child.score


def _clamp(number: float) -> float:
    return min(max(number, 0.0), 1.0)
