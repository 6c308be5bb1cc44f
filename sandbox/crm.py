"""The CRM day by day: people come in, become opportunities, and buy; held as columns, by number."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sandbox.deals import EXISTING_BUSINESS, NEW_BUSINESS, draw_deals, opening_book
from sandbox.draws import (
    DAY,
    NEVER,
    Columns,
    day_start_ms,
    demand,
    generator,
    joined,
    later,
    office,
)
from sandbox.people import customers_of_old, draw_fates, leads_of_clicks, visitors
from sandbox.snapshot import WON

_IMPORT_DAYS = 3


class Crm:
    """All people and deals born until the last day; days are offsets from `start`, in order."""

    def __init__(
        self, seed: int, start: date, zone: ZoneInfo, scale: float, campaigns: int
    ) -> None:
        self._seed = seed
        self._start = start
        self._zone = zone
        self._campaigns = campaigns
        self._visitors = max(4.0, 19.2 * scale)
        self._customers_of_old = max(30, round(400 * scale))
        self._opening_deals = max(16, round(50 * scale))
        self._people: list[Columns] = []
        self._deals: list[Columns] = []
        self._events: list[Columns] = []
        self._customers: list[Columns] = []
        self._born = 0
        self._deal_count = 0

    def live(self, day: int, clicks: Columns) -> None:
        """Draw the people born on one day (some from clicks on ads) and what becomes of them."""
        rng = generator(self._seed, "crm", day)
        today = self._start + timedelta(days=day)
        begin = day_start_ms(today, self._zone)
        end = day_start_ms(today + timedelta(days=1), self._zone)
        born = [
            leads_of_clicks(rng, clicks),
            visitors(rng, begin, end, self._visitors * demand(today), self._campaigns),
        ]
        if day < _IMPORT_DAYS:
            count = self._customers_of_old // _IMPORT_DAYS
            born.insert(0, customers_of_old(rng, begin, count))
        people = draw_fates(rng, joined(born), self._born)
        number = self._born + np.arange(len(people["created"]))
        self._people.append(people)
        self._born += len(number)
        if day == 0:
            self._open_book(rng, begin, people)
        self._sell(rng, people, number)

    def _open_book(self, rng: np.random.Generator, begin: int, people: Columns) -> None:
        american = people["is_american"].astype(bool)
        count = min(self._opening_deals, self._customers_of_old // _IMPORT_DAYS)
        self._add_deals(*opening_book(rng, begin, american, count))

    def _sell(self, rng: np.random.Generator, people: Columns, number: NDArray[np.int64]) -> None:
        american = people["is_american"].astype(bool)
        opportunity = people["opportunity"].astype(np.int64)
        first = np.flatnonzero(opportunity < NEVER)
        deals, events = draw_deals(
            rng, number[first], opportunity[first], american[first], NEW_BUSINESS
        )
        self._add_deals(deals, events)
        won = events["stage"] == WON
        buyer, bought = first[events["deal"][won]], events["at"][won].astype(np.int64)
        old = np.flatnonzero(people["is_customer_of_old"])
        old_since = people["created"].astype(np.int64)[old]
        everyone, since = np.append(buyer, old), np.append(bought, old_since)
        self._customers.append(
            {"number": number[everyone], "since": since, "archived": people["archived"][everyone]}
        )
        waits = 45 + 330 * rng.random(len(everyone))
        again = later(since, waits, rng.random(len(everyone)) < 0.42)
        again = office(again, rng.random(len(everyone)))
        keep = again < NEVER
        repeat = everyone[keep]
        self._add_deals(
            *draw_deals(rng, number[repeat], again[keep], american[repeat], EXISTING_BUSINESS)
        )

    def _add_deals(self, deals: Columns, events: Columns) -> None:
        self._deals.append(deals)
        self._events.append({**events, "deal": events["deal"] + self._deal_count})
        self._deal_count += len(deals["created"])

    def customers(self, day: int) -> NDArray[np.int64]:
        """Numbers of the people who have been customers for some days, in order."""
        begin = day_start_ms(self._start + timedelta(days=day), self._zone)
        known = joined(self._customers)
        self._customers = [known]
        asked = (known["since"] + 4 * DAY <= begin) & (known["archived"] > begin)
        return np.unique(known["number"][asked])

    def columns(self) -> tuple[Columns, Columns, Columns]:
        """All people, deals and stage events so far."""
        self._people = [joined(self._people)]
        self._deals = [joined(self._deals)]
        self._events = [joined(self._events)]
        return self._people[0], self._deals[0], self._events[0]
