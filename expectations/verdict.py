"""What the gate says of a batch: a result a check and the rows counted, in verdict.json."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Literal

import msgspec

from boscard.atomic import write_whole
from ingest.batch import VERDICT, Batch
from ingest.names import Name

FORMAT = 1

Severity = Literal["info", "warning", "critical"]
Action = Literal["observe", "quarantine", "hold", "block"]
State = Literal["pass", "fail", "error", "empty", "skipped"]
BatchState = Literal["passed", "held", "blocked"]


class GateError(Exception):
    """The gate itself is at fault: rows were lost or doubled. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Result:
    """One check on one batch. `rule` is the last part of `check_id`; `sample` shows failing items.

    pass, fail: evaluated; error: could not be evaluated; empty: there were no rows to look at;
    skipped: what it compares with is not known. `sentence` is for the marketer, of failures only.
    `of_rows`: it failed on rows that are known, not on the batch as a whole.
    """

    check_id: str
    rule: str
    severity: Severity
    action: Action
    state: State
    observed: str
    expected: str
    n_failed: int
    n_total: int
    sample: tuple[str, ...]
    sentence: str
    of_rows: bool = False

    @property
    def stops(self) -> bool:
        """Whether it keeps the whole batch back. What was not evaluated is not waved through."""
        if self.state == "error":
            return self.action != "observe"
        return self.state == "fail" and self.action in ("hold", "block")


@dataclass(frozen=True, slots=True)
class Profile:
    """What later batches of the same stream are compared with: counts of all rows that came in.

    `fields` are the dotted paths seen in the sample; `fill` is the share of rows with each column.
    """

    rows: int
    rows_per_day: dict[str, int]
    fields: tuple[str, ...]
    fill: dict[str, float]


@dataclass(frozen=True, slots=True)
class Verdict:
    """verdict.json. rows_in = rows_loaded + rows_superseded + rows_quarantined + rows_held."""

    format: int
    batch_id: str
    state: BatchState
    rows_in: int
    rows_loaded: int
    rows_superseded: int
    rows_quarantined: int
    rows_held: int
    results: tuple[Result, ...]
    profile: Profile
    quarantined_days: dict[str, int]
    gated_at: str

    def __post_init__(self) -> None:
        out = self.rows_loaded + self.rows_superseded + self.rows_quarantined + self.rows_held
        if out != self.rows_in or min(self.counts) < 0:
            raise GateError(
                f"{self.batch_id}: {self.rows_in} rows came in, but {self.rows_loaded} loaded + "
                f"{self.rows_superseded} superseded + {self.rows_quarantined} quarantined + "
                f"{self.rows_held} held are {out}"
            )

    @property
    def counts(self) -> tuple[int, int, int, int]:
        return self.rows_loaded, self.rows_superseded, self.rows_quarantined, self.rows_held

    @property
    def stopping(self) -> tuple[Result, ...]:
        """The results that keep the batch back."""
        return tuple(result for result in self.results if result.stops)


def batch_state(results: tuple[Result, ...]) -> BatchState:
    """blocked where a `block` check stops, else held where any does, else passed."""
    stopping = [result.action for result in results if result.stops]
    if "block" in stopping:
        return "blocked"
    return "held" if stopping else "passed"


def read_verdict(batch: Batch | Name) -> Verdict | None:
    """The verdict beside a batch, or None where no gate has seen it."""
    try:
        content = batch.folder.read(VERDICT)
    except FileNotFoundError:
        return None
    return msgspec.json.decode(content, type=Verdict)


def write_verdict(batch: Batch, verdict: Verdict) -> None:
    """Write verdict.json by atomic rename, mode 0600, inside `folder.changing`."""
    content = msgspec.json.format(msgspec.json.encode(verdict), indent=1)
    write_whole(batch.path / VERDICT, content + b"\n")


def stamped(verdict: Verdict) -> Verdict:
    """The verdict with the wall-clock time at which it was given; no hash covers that field."""
    return replace(verdict, gated_at=datetime.now(UTC).isoformat(timespec="seconds"))


def days(counts: dict[Any, int]) -> dict[str, int]:
    """Counts by day with ISO days as keys, in order."""
    return {day.isoformat(): counts[day] for day in sorted(counts) if isinstance(day, date)}
