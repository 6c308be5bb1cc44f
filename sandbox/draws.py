"""Where chance and time come from: a generator a (seed, subject, day), and instants as integers.

A day's draws depend on nothing but the seed and that day, so a later night sees the same past.
Instants are epoch milliseconds in int64 arrays; NEVER stands for what does not happen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from boscard.clock import start_of_day

Array = NDArray[Any]
Columns = dict[str, NDArray[Any]]

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NEVER = 2**60
_WEEKDAYS = (1.10, 1.13, 1.10, 1.06, 0.95, 0.72, 0.84)


def generator(seed: int, subject: str, *keys: int) -> np.random.Generator:
    """The random generator of one subject on one day."""
    return np.random.default_rng([seed, crc32(subject.encode()), *keys])


def epoch_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def day_start_ms(day: date, zone: ZoneInfo) -> int:
    """The instant at which `day` begins in `zone`, in epoch milliseconds."""
    return epoch_ms(start_of_day(day, zone))


def demand(day: date) -> float:
    """How lively a day is, about 1: summer, weekdays, the week of sales, the quiet at new year."""
    year_round = 1 + 0.2 * math.sin(2 * math.pi * (day.timetuple().tm_yday - 100) / 365)
    month_day = (day.month, day.day)
    special = 1.0
    if (11, 21) <= month_day <= (11, 30):
        special = 1.3
    elif month_day >= (12, 22) or month_day <= (1, 3):
        special = 0.6
    return year_round * _WEEKDAYS[day.weekday()] * special


def office(ms: Array, share: Array) -> NDArray[np.int64]:
    """The next working day after `ms`, at `share` (0..1) of the office hours of Berlin."""
    ms = ms.astype(np.int64)
    day = ms // DAY + 1
    weekday = (day + 3) % 7
    day = day + np.where(weekday == 5, 2, np.where(weekday == 6, 1, 0))
    moved = day * DAY + 7 * HOUR + (share * 9 * HOUR).astype(np.int64)
    return np.where(ms >= NEVER, NEVER, moved)


def later(ms: Array, days: Array, happens: Array | bool = True) -> NDArray[np.int64]:
    """`ms` plus a number of days, or NEVER where it does not happen."""
    moved = ms.astype(np.int64) + (np.minimum(days, 5000) * DAY).astype(np.int64)
    return np.where(happens & (ms < NEVER), moved, NEVER)


def instants(ms: Array, now_ms: int) -> pd.DatetimeIndex:
    """Timestamps in UTC; what lies after `now_ms` is not known yet and so is NaT."""
    known = ms.astype(np.int64)
    stamps = np.where(known <= now_ms, known, 0).astype("datetime64[ms]")
    stamps[known > now_ms] = np.datetime64("NaT")
    return pd.DatetimeIndex(stamps.astype("datetime64[us]"), tz=UTC)


def planned(ms: Array) -> pd.DatetimeIndex:
    """Timestamps in UTC that may lie in the future; NEVER is NaT."""
    return instants(ms, NEVER - 1)


def texts(values: Sequence[str | None], codes: Array) -> Array:
    """The value of each code as an object array; a negative code is None."""
    table = np.array([*values, None], dtype=object)
    return table[np.where(codes < 0, len(values), codes).astype(np.int64)]


def joined(batches: Sequence[Mapping[str, Array]]) -> Columns:
    """Batches of equal columns as one."""
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
