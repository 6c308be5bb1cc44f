"""What earlier batches of the same stream were like, and how many rows that lets one expect.

Rows of a day seen before are compared with that day; a new day with the median of the days around
it; a list with the list before. What a vendor repeats on a third night is taken as its answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from statistics import median

from expectations.verdict import Verdict, read_verdict
from ingest.batch import Batch, Manifest, Window
from ingest.landing import Landing, read_if_there

BATCHES = 60
NIGHTS_TO_AGREE = 2
DAYS_BEFORE, DAYS_AFTER, DAYS_NEEDED = 28, 7, 7
NIGHTS_NEEDED = 5


@dataclass(frozen=True, slots=True)
class Volume:
    """How many rows came and how many were expected; `expected` is None where nothing is known.

    `is_told`: it would be missing or thin, had the vendor not said the same on earlier nights.
    """

    item: str
    rows: int
    expected: int | None = None
    is_missing: bool = False
    is_thin: bool = False
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """The verdicts on the batches before this one, oldest first, at most the last sixty."""

    as_of_date: date
    past: tuple[tuple[Manifest, Verdict], ...] = field(default=())

    @classmethod
    def of(cls, batch: Batch, landing: Landing) -> History:
        """From the batches of the same stream; later ones and ungated ones do not count."""
        manifest = batch.manifest
        names = landing.names(manifest.source, manifest.account, manifest.stream, is_indexed=True)
        before = [name for name in names if name.sequence < manifest.sequence][-BATCHES:]
        verdicts = [
            (earlier.manifest, read_verdict(name))
            for name in before
            if (earlier := read_if_there(name))
        ]
        past = tuple((manifest, verdict) for manifest, verdict in verdicts if verdict)
        return cls(batch.manifest.as_of_date, past)

    @property
    def passed(self) -> tuple[tuple[Manifest, Verdict], ...]:
        return tuple(pair for pair in self.past if pair[1].state == "passed")

    def fields(self) -> frozenset[str]:
        """Every field that a batch which went on has had."""
        return frozenset(path for _, verdict in self.passed for path in verdict.profile.fields)

    def fill(self) -> Mapping[str, float]:
        """The share of rows with each column in the last batch which went on and had rows."""
        for _, verdict in reversed(self.passed):
            if verdict.profile.rows:
                return verdict.profile.fill
        return {}

    def days(self, window: Window, rows: Mapping[date, int]) -> list[Volume]:
        """Each day of the window. A day that lost a fifth of the rows it had, or has less than half
        of what its neighbours have, is thin; a day without any where there were some is missing.
        """
        seen: dict[date, int] = {}
        for manifest, verdict in self.passed:
            seen |= _days_of(manifest, verdict)
        known = {day: count for day, count in {**seen, **rows}.items() if count}
        first = min(known, default=None)
        volumes = []
        for day in _days(window):
            count = rows.get(day, 0)
            expected = seen.get(day)
            share = 0.8
            if not expected and first is not None and day > first:
                expected, share = _around(day, known), 0.5
            volumes.append(
                _judge(
                    Volume(day.isoformat(), count, expected),
                    share,
                    least=5,
                    agrees=self._agrees(count, day),
                )
            )
        return volumes

    def whole(self, rows: int, *, least: int, share: float = 0.5) -> Volume:
        """A complete list against the last one that went on: less than `share` of it is thin."""
        expected = self.passed[-1][1].profile.rows if self.passed else None
        return _judge(Volume("all", rows, expected), share, least=least, agrees=self._agrees(rows))

    def nights(self, rows: int) -> Volume:
        """What changed in a night against the median of the last fourteen nights."""
        nightly = [
            verdict.profile.rows
            for manifest, verdict in self.passed
            if manifest.window and (manifest.window.end - manifest.window.start).days < 10
        ][-14:]
        expected = round(median(nightly)) if len(nightly) >= NIGHTS_NEEDED else None
        return _judge(Volume("all", rows, expected), 0.2, least=5, agrees=False)

    def _agrees(self, rows: int, day: date | None = None) -> bool:
        """Whether the last nights before this one that asked were told as many rows within a tenth.

        A second pull in one night proves nothing new: the last one of a night counts.
        """
        told: dict[date, int] = {}
        for manifest, verdict in self.past:
            count = verdict.profile.rows if day is None else _rows_on(day, manifest, verdict)
            if count is not None and manifest.as_of_date < self.as_of_date:
                told[manifest.as_of_date] = count
        last = [told[night] for night in sorted(told)][-NIGHTS_TO_AGREE:]
        return len(last) == NIGHTS_TO_AGREE and all(
            abs(count - rows) <= max(count, rows) / 10 for count in last
        )


def _judge(volume: Volume, share: float, *, least: int, agrees: bool) -> Volume:
    expected = volume.expected
    if expected is None:
        return volume
    is_missing = volume.rows == 0 and expected >= least
    is_thin = 0 < volume.rows < share * expected and expected >= 10
    if agrees:
        return replace(volume, is_told=is_missing or is_thin)
    return replace(volume, is_missing=is_missing, is_thin=is_thin)


def _around(day: date, known: Mapping[date, int]) -> int | None:
    near = [
        known[other]
        for shift in range(-DAYS_BEFORE, DAYS_AFTER + 1)
        if shift and (other := day + timedelta(days=shift)) in known
    ]
    return round(median(near)) if len(near) >= DAYS_NEEDED else None


def _rows_on(day: date, manifest: Manifest, verdict: Verdict) -> int | None:
    """How many rows a batch had for a day; None where its window leaves the day out."""
    if manifest.window is None or not manifest.window.start <= day <= manifest.window.end:
        return None
    return verdict.profile.rows_per_day.get(day.isoformat(), 0)


def _days_of(manifest: Manifest, verdict: Verdict) -> dict[date, int]:
    if manifest.window is None:
        return {}
    return {date.fromisoformat(day): count for day, count in verdict.profile.rows_per_day.items()}


def _days(window: Window) -> list[date]:
    length = (window.end - window.start).days + 1
    return [window.start + timedelta(days=shift) for shift in range(length)]
