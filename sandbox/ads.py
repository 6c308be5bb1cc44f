"""What the ads did: impressions, clicks, cost, credits and conversions, and how that looks later.

Everything is drawn once, on the day itself, with the instants at which conversions and credits
become known; a look at `now` only adds up what is known by then. So a later look restates the
last days as the vendor does, and conversions only grow.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sandbox.ad_frames import ReportNames, entity_frames
from sandbox.campaigns import ACCOUNTS, Plan
from sandbox.draws import DAY, HOUR, MINUTE, Columns, day_start_ms, demand, generator, joined

LONGEST_LAG: Final = 29 * DAY
_CREDIT_LAG = (12 * HOUR, 70 * HOUR)  # after the end of the day
_SHARES = np.array([500, 667, 750, 333, 900])  # thousandths of a conversion
_ZONES = tuple(ZoneInfo(account[3]) for account in ACCOUNTS)


class AdServing:
    """The ad accounts day by day; a day is an offset from `start`."""

    def __init__(self, seed: int, start: date, plan: Plan) -> None:
        self._seed = seed
        self._start = start
        self._plan = plan
        account_of = np.array([campaign.account for campaign in plan.campaigns])
        self._account = account_of[plan.units["campaign"]]
        self._served: list[Columns] = []
        self._conversions: list[Columns] = []
        self._credits: list[Columns] = []

    def serve(self, day: int) -> Columns:
        """Draw one day; the next one in order. Returns the clicks that become leads.

        Columns of the result: campaign (its number), account, clicked (ms), created (ms).
        """
        rng = generator(self._seed, "ads", day)
        units = self._plan.units
        impressions, clicks, cost = self._draw_serving(rng, day)
        begins = np.array([day_start_ms(self._date(day), zone) for zone in _ZONES])
        ends = np.array([day_start_ms(self._date(day + 1), zone) for zone in _ZONES])

        leads = rng.binomial(clicks, units["lead_rate"])
        others = rng.binomial(clicks, units["other_rate"])
        others += rng.binomial(impressions, units["view_rate"])
        unit = np.repeat(np.tile(np.arange(len(clicks)), 2), np.concatenate([leads, others]))
        is_lead = np.arange(len(unit)) < leads.sum()
        begin, end = begins[self._account[unit]], ends[self._account[unit]]
        clicked = begin + (rng.beta(2.2, 1.8, len(unit)) * (end - begin)).astype(np.int64)
        known = clicked + _conversion_lag(rng, len(unit))
        euros = np.where(is_lead, 60.0, 100 * rng.lognormal(0, 0.6, len(unit)))
        self._convert(rng, day, unit, known, (euros * 100).astype(np.int64))
        self._credit(rng, day, clicks, cost, ends[self._account])
        self._served.append({"impressions": impressions, "clicks": clicks, "cost_micros": cost})
        return {
            "campaign": units["campaign"][unit[is_lead]],
            "account": self._account[unit[is_lead]],
            "clicked": clicked[is_lead],
            "created": known[is_lead],
        }

    def _date(self, day: int) -> date:
        return self._start + timedelta(days=day)

    def _draw_serving(
        self, rng: np.random.Generator, day: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        units = self._plan.units
        active = (units["starts"] <= day) & (day < units["ends"])
        warmth = np.clip(0.45 + 0.05 * (day - units["starts"]), 0, 1)
        warmth = np.where(units["starts"] == 0, 1.0, warmth)
        mood = rng.lognormal(0, 0.12, len(self._plan.campaigns))[units["campaign"]]
        rate = units["impressions"] * demand(self._date(day)) * warmth * mood * active
        impressions = rng.poisson(rate)
        clicks = rng.binomial(impressions, np.minimum(units["click_rate"], 0.5))
        noise = rng.lognormal(0, 0.12, len(clicks))
        price = clicks * units["click_price"] + impressions * units["impression_price"]
        cost = np.floor(price * noise * 100).astype(np.int64) * 10_000
        return impressions, clicks, cost

    def _convert(
        self,
        rng: np.random.Generator,
        day: int,
        unit: NDArray[np.int64],
        known: NDArray[np.int64],
        cents: NDArray[np.int64],
    ) -> None:
        """Credit each conversion to its click's ad; now and then share it with a neighbour.

        The neighbour may not have had a click that day, or not have served at all: then the
        rest of the credit is lost to a channel outside.
        """
        plan = self._plan
        shared = rng.random(len(unit)) < 0.3
        share = np.where(shared, _SHARES[rng.integers(0, len(_SHARES), len(unit))], 1000)
        campaign = plan.units["campaign"][unit]
        step = rng.integers(1, 1000, len(unit)) % np.maximum(1, plan.unit_count[campaign])
        offset = (unit - plan.first_unit[campaign] + step) % plan.unit_count[campaign]
        neighbour = plan.first_unit[campaign] + offset
        served = (plan.units["starts"][neighbour] <= day) & (day < plan.units["ends"][neighbour])
        helped = shared & (neighbour != unit) & served
        thousandths = np.concatenate([share, (1000 - share)[helped]])
        everything = np.concatenate([cents, cents[helped]])
        self._conversions.append(
            {
                "cell": day * len(plan.units["campaign"]) + np.append(unit, neighbour[helped]),
                "known": np.append(known, known[helped]),
                "thousandths": thousandths,
                "cents": everything * thousandths // 1000,
            }
        )

    def _credit(
        self,
        rng: np.random.Generator,
        day: int,
        clicks: NDArray[np.int64],
        cost: NDArray[np.int64],
        ends: NDArray[np.int64],
    ) -> None:
        """Invalid clicks vanish with their cost; on a few rows only the cost is given back."""
        fate = rng.random(len(clicks))
        invalid = (fate < 0.03) & (clicks >= 2)
        goodwill = (fate > 0.993) & (clicks >= 1)
        lost = np.where(invalid, 1 + clicks // 30, 0)
        refund = np.where(goodwill, cost, cost * lost // np.maximum(1, clicks) // 10_000 * 10_000)
        known = ends + rng.integers(*_CREDIT_LAG, len(clicks))
        hit = np.flatnonzero(invalid | goodwill)
        self._credits.append(
            {
                "cell": day * len(clicks) + hit,
                "clicks": lost[hit],
                "cost_micros": refund[hit],
                "known": known[hit],
            }
        )

    def frames(self, now: datetime, now_ms: int) -> dict[str, pd.DataFrame]:
        """Entities and reports of all ad accounts as they look at `now`."""
        unit_count = len(self._plan.units["campaign"])
        measures = self._measures_at(now, now_ms)
        cell = np.flatnonzero(np.any([measure != 0 for measure in measures.values()], axis=0))
        day, unit = np.divmod(cell, unit_count)
        group = self._plan.units["group"][unit]
        campaign = self._plan.units["campaign"][unit]
        values = {name: measure[cell] for name, measure in measures.items()}
        names = ReportNames(self._plan, self._start)
        is_ad = group >= 0
        ads = {name: value[is_ad] for name, value in values.items()}
        by_group, group_values = _summed(day[is_ad], group[is_ad], ads)
        by_campaign, campaign_values = _summed(day, campaign, values)
        group_campaign = self._plan.groups["campaign"]
        return {
            **entity_frames(self._plan, self._start, now),
            "campaign_daily": names.report(
                by_campaign[1], None, None, by_campaign, campaign_values
            ),
            "ad_group_daily": names.report(
                group_campaign[by_group[1]], by_group[1], None, by_group, group_values
            ),
            "ad_daily": names.report(
                campaign[is_ad], group[is_ad], unit[is_ad], (day[is_ad], unit[is_ad]), ads
            ),
        }

    def _measures_at(self, now: datetime, now_ms: int) -> dict[str, NDArray[np.int64]]:
        """Each measure by cell (day × unit); conversions in thousandths, their value in cents."""
        served = {
            name: np.stack([batch[name] for batch in self._served])
            for name in ("impressions", "clicks", "cost_micros")
        }
        for account, zone in enumerate(_ZONES):
            today = (now.astimezone(zone).date() - self._start).days
            mine = self._account == account
            for name, matrix in served.items():
                matrix[max(0, today + 1) :, mine] = 0
                if 0 <= today < len(matrix):
                    begin = day_start_ms(self._date(today), zone)
                    minutes = (now_ms - begin) // MINUTE
                    step = 10_000 if name == "cost_micros" else 1
                    partial = matrix[today, mine] // step * min(minutes, 1440) // 1440 * step
                    matrix[today, mine] = partial
        flat = {name: matrix.ravel() for name, matrix in served.items()}
        given_back = joined(self._credits)
        due = given_back["known"] <= now_ms
        for name in ("clicks", "cost_micros"):
            np.subtract.at(flat[name], given_back["cell"][due], given_back[name][due])
        conversions = joined(self._conversions)
        due = conversions["known"] <= now_ms
        for name, source in (("conversions", "thousandths"), ("conversions_value", "cents")):
            flat[name] = np.zeros(len(flat["clicks"]), dtype=np.int64)
            np.add.at(flat[name], conversions["cell"][due], conversions[source][due])
        return flat


def _conversion_lag(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Mostly minutes after the click, for three in ten days; at most what the vendor restates."""
    minutes = rng.exponential(18, count) * MINUTE
    days = rng.exponential(7, count) * DAY
    lag = np.where(rng.random(count) < 0.7, minutes, days)
    return np.minimum(lag, LONGEST_LAG).astype(np.int64) + 20_000


def _summed(
    day: NDArray[np.int64], key: NDArray[np.int64], values: dict[str, NDArray[np.int64]]
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], dict[str, NDArray[np.int64]]]:
    """Sums by (day, key), and these days and keys in order."""
    width = int(key.max()) + 1 if len(key) else 1
    cells, position = np.unique(day * width + key, return_inverse=True)
    sums: dict[str, NDArray[np.int64]] = {}
    for name, value in values.items():
        total = np.zeros(len(cells), dtype=np.int64)
        np.add.at(total, position, value)
        sums[name] = total
    days, keys = np.divmod(cells, width)
    return (days, keys), sums
