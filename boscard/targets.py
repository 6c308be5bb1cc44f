"""`boscard targets`: which KPIs would change colour if the targets in a CSV file held.

A dry run over the published values: nothing is written. The file has the columns of
dbt_project/seeds/kpi_targets.csv and may hold all of it or only the rows that are new.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pandas as pd

from boscard.home import PROJECT, Home
from boscard.scoring import Band, DefinitionError, Direction, Target, band, score, to_full_period
from publish.figures import figure
from publish.period import PERIOD_TYPES, period_of
from publish.read import read

SEED: Final = PROJECT / "dbt_project" / "seeds" / "kpi_targets.csv"
KEY: Final = ("kpi_id", "period_type", "segment_type", "segment")
NUMBERS: Final = ("green_from", "red_below", "low", "high", "tolerance", "baseline", "target")
DAYS: Final = ("valid_from", "as_of")
COLUMNS: Final = (*KEY, "valid_from", *NUMBERS, "source", "as_of")
SEGMENT_TYPES: Final = ("company", "channel", "campaign")

# The direction of each KPI by the first day of its versions, oldest first.
Directions = Mapping[str, Sequence[tuple[date, Direction]]]


class TargetsError(ValueError):
    """The file cannot be used; the message has a line for each mistake with file, line and key."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A row of the file: what is asked of a KPI, by kind of period and segment, from a day on."""

    key: tuple[str, ...]
    valid_from: date
    target: Target


@dataclass(frozen=True, slots=True)
class Change:
    """A published value whose colour would be another. `is_ahead`: the row begins after all that is
    published, and the newest period is told as if it held already.
    """

    kpi_id: str
    period: str
    segment: str
    value: float
    now: str
    then: Band
    valid_from: date
    is_ahead: bool


def read_targets(path: Path, directions: Directions) -> list[Asked]:
    """The rows of the file. Raises TargetsError with everything that is wrong."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, restkey="more", restval="")
        columns = reader.fieldnames or ()
        if set(columns) != set(COLUMNS):
            raise TargetsError(
                f"{path} line 1: the columns are {', '.join(columns) or 'missing'}; "
                f"they must be {', '.join(COLUMNS)}"
            )
        rows: list[tuple[int, dict[str, Any]]] = [(reader.line_num, row) for row in reader]
    asked, wrong = [], []
    lines: dict[tuple[Any, ...], int] = {}
    for line, row in rows:
        name = " ".join(row[column] for column in KEY)
        mistakes = list(_mistakes(row, directions))
        if not mistakes:
            try:
                one = _asked(row, directions)
            except DefinitionError as error:
                mistakes.append(str(error))
            else:
                asked.append(one)
                first = lines.setdefault((one.key, one.valid_from), line)
                if first != line:
                    mistakes.append(f"the same KPI, period, segment and day as line {first}")
        wrong += [f"{path} line {line} ({name}): {mistake}" for mistake in mistakes]
    if wrong:
        raise TargetsError("\n".join(wrong))
    return asked


def _mistakes(row: dict[str, Any], directions: Directions) -> Iterable[str]:
    if row.get("more"):
        yield "has more fields than the first line"
    for column, known in (
        ("kpi_id", tuple(directions)),
        ("period_type", PERIOD_TYPES),
        ("segment_type", SEGMENT_TYPES),
    ):
        if row[column] not in known:
            yield f"{column} {row[column]!r} is none of {', '.join(known)}"
    for column in ("segment", "source"):
        if not row[column].strip():
            yield f"{column} is empty"
    for column in NUMBERS:
        if not _is_number(row[column] or "0"):
            yield f"{column} {row[column]!r} is not a number"
    for column in DAYS:
        try:
            date.fromisoformat(row[column])
        except ValueError:
            yield f"{column} {row[column]!r} is not a day; write YYYY-MM-DD"


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _asked(row: dict[str, Any], directions: Directions) -> Asked:
    """A row without mistakes of form. Raises DefinitionError where its numbers contradict."""
    since = date.fromisoformat(row["valid_from"])
    versions = directions[row["kpi_id"]]
    direction = next((one for day, one in reversed(versions) if day <= since), versions[0][1])
    numbers = {column: float(row[column]) if row[column] else None for column in NUMBERS}
    target = Target(direction, **numbers)
    strange = ("green_from", "red_below") if direction == "maintain" else NUMBERS[2:5]
    for column in strange:
        if numbers[column] is not None:
            raise DefinitionError(f"{column} is not for direction {direction}; leave it empty")
    if target.baseline is not None and target.baseline == target.target:
        raise DefinitionError(f"baseline and target are both {target.target:g}")
    return Asked(tuple(row[column] for column in KEY), since, target)


def changes(
    proposed: Sequence[Asked], present: Sequence[Asked], values: pd.DataFrame, night: date
) -> list[Change]:
    """What would change colour if `proposed` were laid over `present`.

    `values` are rows of kpi_values with `is_cumulative`; `night` is the last day they may hold.
    """
    dated = {(one.key, one.valid_from): one for one in (*present, *proposed)}
    by_key = dict(iter(values.groupby(list(KEY), sort=False)))
    found = []
    for one in proposed:
        if (rows := by_key.get(one.key)) is None:
            continue
        later = [since for key, since in dated if key == one.key and since > one.valid_from]
        starts = rows["period_start"].dt.date
        held = rows[(starts >= one.valid_from) & (starts < min(later, default=date.max))]
        is_ahead = one.valid_from > starts.max()
        if is_ahead:
            held = rows[rows["period_start"] == rows["period_start"].max()]
        found += [_change(row, one, night, is_ahead) for row in held.to_dict("records")]
    return [each for each in found if each is not None and each.now != each.then]


def _change(row: Mapping[Any, Any], one: Asked, night: date, is_ahead: bool) -> Change | None:
    if pd.isna(row["value"]) or not row["is_mature"]:
        return None
    start, end = row["period_start"].date(), row["period_end"].date()
    value = row["value"]
    if row["is_cumulative"]:
        over = (min(end, night) - start).days + 1
        days = (end - start + timedelta(days=1)).days
        value = to_full_period(value, row["coverage"] * over / days)
    return Change(
        kpi_id=row["kpi_id"],
        period=period_of(start, row["period_type"]).name,
        segment=row["segment"],
        value=row["value"],
        now=row["band"],
        then=band(score(value, one.target)),
        valid_from=one.valid_from,
        is_ahead=is_ahead,
    )


@dataclass(frozen=True, slots=True)
class DryRun:
    """What would change, and the keys of rows for which nothing is published."""

    changes: list[Change]
    unpublished: list[tuple[str, ...]]


def dry_run(path: Path, home: Home | None = None) -> DryRun:
    """The file over the current publication. Raises TargetsError, NothingPublishedError."""
    versions = read("kpi_definitions", home).sort_values("valid_from").to_dict("records")
    directions: dict[str, list[tuple[date, Direction]]] = {}
    for row in versions:
        directions.setdefault(row["kpi_id"], []).append(
            (row["valid_from"].date(), row["direction"])
        )
    is_cumulative = {row["kpi_id"]: row["is_cumulative"] for row in versions}
    values = read("kpi_values", home)
    values = values.assign(is_cumulative=values["kpi_id"].map(is_cumulative))
    night = read("publications", home).sort_values("sequence")["as_of_date"].iloc[-1].date()
    proposed, present = read_targets(path, directions), read_targets(SEED, directions)
    known = set(values[list(KEY)].drop_duplicates().itertuples(index=False, name=None))
    return DryRun(
        changes(proposed, present, values, night),
        [one.key for one in proposed if one.key not in known],
    )


def sentences(found: DryRun, currency: str, home: Home | None = None) -> list[str]:
    """The dry run, a line each."""
    newest = {row["kpi_id"]: row for row in read("kpi_definitions", home).to_dict("records")}
    lines = []
    for one in found.changes:
        kpi = newest[one.kpi_id]
        ahead = f" (from {one.valid_from} on; shown as if it held already)" if one.is_ahead else ""
        lines.append(
            f"{one.kpi_id} {kpi['name']}, {one.period}, {one.segment}: "
            f"{figure(one.value, kpi['unit'], currency)}, {one.now} → {one.then}{ahead}"
        )
    lines += [
        f"nothing is published for {' '.join(key)}; is its segment spelled right?"
        for key in found.unpublished
    ]
    return lines or ["No KPI changes colour."]
