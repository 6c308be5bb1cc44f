"""The surveys: customers rate their loyalty and the support they had, the team its quarter.

Answers are drawn on the day on which the form is opened, among the customers of that day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sandbox.draws import DAY, HOUR, MINUTE, NEVER, Columns, day_start_ms, generator, joined

TEAM_SIZE: Final = 14
COMPLETED, PARTIAL, STARTED = range(3)
RESPONSE_TYPES: Final = ("completed", "partial", "started")


@dataclass(frozen=True, slots=True)
class Form:
    form_id: str
    title: str
    kind: str


FORMS: Final = (
    Form("NpsCust1", "How likely are you to recommend Northwind Trails?", "nps"),
    Form("CsatSup1", "How did our support do?", "csat"),
    Form("PulseTm1", "Team pulse", "pulse"),
)
NPS, CSAT, PULSE = range(3)
COMMENTS: Final = (
    "Great guides, thank you!",
    "Tolle Tour, gerne wieder.",
    "Too expensive for what it is",
    'The "easy" route was not easy, at all',
    "Line one\nline two",
    "Super 👍🏔️",
    "<b>Please</b> call me back; I wrote twice.",
    "n/a",
    "Buchung über die Website hat erst beim 3. Versuch geklappt",
)
REASONS: Final = ("Price", "Guides", "Booking", "Route", "Weather")
_NPS_WEIGHTS = np.array([1, 1, 1, 2, 2, 5, 8, 14, 22, 24, 20], dtype=float)
_CSAT_WEIGHTS = np.array([4, 6, 13, 39, 38], dtype=float)
_PULSE_WEIGHTS = np.array([0, 0, 1, 1, 2, 4, 7, 16, 28, 24, 17], dtype=float)


class Surveys:
    """The survey tool day by day; a day is an offset from `start`."""

    def __init__(self, seed: int, start: date, zone: ZoneInfo, scale: float) -> None:
        self._seed = seed
        self._start = start
        self._zone = zone
        self._nps_floor, self._csat_floor = 1.2 * max(1.0, scale), 1.4 * max(1.0, scale)
        self.batches: list[Columns] = []

    def ask(self, day: int, customers: NDArray[np.int64]) -> None:
        """Draw the answers begun on one day; `customers` are the numbers of who may be asked."""
        rng = generator(self._seed, "surveys", day)
        begin = day_start_ms(self._start + timedelta(days=day), self._zone)
        batches = [
            self._customer_answers(rng, begin, NPS, customers, 0.0074, self._nps_floor, day),
            self._customer_answers(rng, begin, CSAT, customers, 0.0092, self._csat_floor, day),
        ]
        members = self._team_members(day)
        if len(members):
            batches.append(_answers(rng, begin, PULSE, np.full(len(members), -1), _PULSE_WEIGHTS))
        self.batches.append(joined(batches))

    def _customer_answers(
        self,
        rng: np.random.Generator,
        begin: int,
        form: int,
        customers: NDArray[np.int64],
        rate: float,
        floor: float,
        day: int,
    ) -> Columns:
        expected = max(floor, rate * len(customers)) if len(customers) else 0.0
        people = rng.choice(customers, rng.poisson(expected)) if len(customers) else customers
        people = np.where(rng.random(len(people)) < 0.07, -1, people)
        weights = _NPS_WEIGHTS if form == NPS else _CSAT_WEIGHTS
        warmth = 0.12 * np.sin(day / 45) + 0.0004 * day
        tilt = np.linspace(-1, 1, len(weights)) * warmth
        answers = _answers(rng, begin, form, people, weights * np.exp(tilt))
        again = np.flatnonzero((rng.random(len(people)) < 0.09) & (people >= 0) & (form == NPS))
        if not len(again):
            return answers
        later_begin = begin + rng.integers(1, 8, len(again)) * DAY
        second = _answers(rng, later_begin, form, people[again], weights)
        return joined([answers, second])

    def _team_members(self, day: int) -> NDArray[np.int64]:
        """Who of the team answers today: each once, within six days of the wave's opening."""
        today = self._start + timedelta(days=day)
        for age in range(6):
            opened = today - timedelta(days=age)
            if opened in self._waves(today):
                rng = generator(self._seed, "pulse", opened.toordinal())
                answers_on = rng.choice(6, TEAM_SIZE, p=[0.4, 0.25, 0.15, 0.08, 0.07, 0.05])
                takes_part = rng.random(TEAM_SIZE) < 0.9
                return np.flatnonzero(takes_part & (answers_on == age))
        return np.array([], dtype=np.int64)

    def _waves(self, today: date) -> set[date]:
        """The opening of this quarter's pulse; the first is on the company's seventh day."""
        first = self._start + timedelta(days=6)
        quarter = date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
        regular = quarter + timedelta(days=5)
        return {first} if quarter <= first else {regular, first}


def _answers(
    rng: np.random.Generator,
    begin: int | NDArray[np.int64],
    form: int,
    people: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> Columns:
    """Responses opened between 7:30 and 23:00; what is finished a day later is so in daytime."""
    count = len(people)
    customer = form != PULSE
    landed = begin + 450 * MINUTE + (rng.beta(1.6, 1.8, count) * 15.3 * HOUR).astype(np.int64)
    landed = landed // 1000 * 1000
    fate = rng.random(count)
    leaves = customer & (fate < 0.15)
    comes_back = customer & (fate < 0.025)
    never_types = customer & (fate > 0.985)
    quick = landed + rng.integers(20, 900, count) * 1000
    slow = begin + DAY + rng.integers(10 * 3600, 20 * 3600, count) * 1000
    submitted = np.where(comes_back, slow, np.where(leaves | never_types, NEVER, quick))
    latency = rng.integers(60, 1500, count) * 1000
    is_late = customer & (rng.random(count) < 0.02)
    latency = np.where(is_late, (rng.random(count) * 44 + 3.5) * HOUR, latency).astype(np.int64)
    start_score = 1 if form == CSAT else 0
    score = rng.choice(len(weights), count, p=weights / weights.sum()) + start_score
    words = rng.random(count)
    token = rng.integers(0, 2**62, (2, count))
    return {
        "form": np.full(count, form),
        "person": people,
        "landed": landed,
        "submitted": submitted,
        "visible": np.where(submitted < NEVER, submitted + latency, NEVER),
        "kind": np.where(never_types, STARTED, PARTIAL),
        "score": np.where(customer & (rng.random(count) < 0.012), -1, score),
        "comment": np.where(words < 0.28, rng.integers(0, len(COMMENTS), count), -1),
        "reason": np.where(words < 0.6, rng.integers(0, len(REASONS), count), -1),
        "token_high": token[0],
        "token_low": token[1],
    }
