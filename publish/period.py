"""Periods of KPIs and their short names: 2026-11-04, 2026-W45, 2026-11, 2026-Q4."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

PeriodType = Literal["day", "week", "month", "quarter"]
PERIOD_TYPES: Final[tuple[PeriodType, ...]] = ("day", "week", "month", "quarter")


class NotAPeriodError(ValueError):
    """The name is none of a period; the message says which names there are."""


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Whole days, both ends included; weeks are ISO weeks, from Monday."""

    type: PeriodType
    start: date
    end: date

    @property
    def name(self) -> str:
        match self.type:
            case "day":
                return self.start.isoformat()
            case "week":
                year, week, _ = self.start.isocalendar()
                return f"{year}-W{week:02d}"
            case "month":
                return f"{self.start:%Y-%m}"
            case "quarter":
                return f"{self.start.year}-Q{_quarter(self.start)}"


def parse_period(name: str) -> Period:
    """The period called `name`. Raises NotAPeriodError."""
    try:
        if found := re.fullmatch(r"(\d{4})-W(\d\d)", name):
            return period_of(date.fromisocalendar(int(found[1]), int(found[2]), 1), "week")
        if found := re.fullmatch(r"(\d{4})-Q([1-4])", name):
            return period_of(date(int(found[1]), 3 * int(found[2]) - 2, 1), "quarter")
        if re.fullmatch(r"\d{4}-\d\d", name):
            return period_of(date.fromisoformat(f"{name}-01"), "month")
        if re.fullmatch(r"\d{4}-\d\d-\d\d", name):
            return period_of(date.fromisoformat(name), "day")
    except ValueError:
        pass
    raise NotAPeriodError(
        f"{name!r} is not a period; write a day (2026-11-04), an ISO week (2026-W45), "
        "a month (2026-11) or a quarter (2026-Q4)"
    )


def period_of(day: date, type_: PeriodType) -> Period:
    """The period of this type that has the day."""
    match type_:
        case "day":
            return Period("day", day, day)
        case "week":
            monday = day - timedelta(days=day.weekday())
            return Period("week", monday, monday + timedelta(days=6))
        case "month":
            return Period("month", day.replace(day=1), _end_of_month(day))
        case "quarter":
            last = 3 * _quarter(day)
            return Period(
                "quarter", date(day.year, last - 2, 1), _end_of_month(date(day.year, last, 1))
            )


def _quarter(day: date) -> int:
    return (day.month + 2) // 3


def _end_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
