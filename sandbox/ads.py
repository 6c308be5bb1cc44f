"""What the ads did: impressions, clicks, cost, credits and conversions, and how they look at an instant.

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

from sandbox.campaigns import ACCOUNTS, AD_TYPES, CHANNELS, FOREVER, PERFORMANCE_MAX, Plan
from sandbox.draws import DAY, HOUR, MINUTE, Columns, day_start_ms, demand, generator, joined

MEASURES: Final = ("impressions", "clicks", "cost_micros", "conversions", "conversions_value")
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
        """Clicks found invalid lose their cost and vanish; on a few rows only the cost is given back."""
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
        names = _Names(self._plan, self._start)
        is_ad = group >= 0
        ads = {name: value[is_ad] for name, value in values.items()}
        by_group, group_values = _summed(day[is_ad], group[is_ad], ads)
        by_campaign, campaign_values = _summed(day, campaign, values)
        group_campaign = self._plan.groups["campaign"]
        return {
            **self._entities(now),
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
        credits = joined(self._credits)
        due = credits["known"] <= now_ms
        for name in ("clicks", "cost_micros"):
            np.subtract.at(flat[name], credits["cell"][due], credits[name][due])
        conversions = joined(self._conversions)
        due = conversions["known"] <= now_ms
        for name, source in (("conversions", "thousandths"), ("conversions_value", "cents")):
            flat[name] = np.zeros(len(flat["clicks"]), dtype=np.int64)
            np.add.at(flat[name], conversions["cell"][due], conversions[source][due])
        return flat

    def _entities(self, now: datetime) -> dict[str, pd.DataFrame]:
        return entity_frames(self._plan, self._start, now)


def _conversion_lag(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Mostly minutes after the click, for three in ten days, never longer than the vendor restates."""
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


class _Names:
    """Turns numbers of campaigns, groups and units into the vendor's ids."""

    def __init__(self, plan: Plan, start: date) -> None:
        self._start = np.datetime64(start, "s")
        self._accounts = np.array(
            [ACCOUNTS[campaign.account][0] for campaign in plan.campaigns], dtype=object
        )
        self._campaigns = np.array(plan.campaign_ids, dtype=object)
        self._groups = np.array(group_ids(plan), dtype=object)
        self._ads = np.array(ad_ids(plan), dtype=object)

    def report(
        self,
        campaign: NDArray[np.int64],
        group: NDArray[np.int64] | None,
        unit: NDArray[np.int64] | None,
        keys: tuple[NDArray[np.int64], NDArray[np.int64]],
        values: dict[str, NDArray[np.int64]],
    ) -> pd.DataFrame:
        columns: dict[str, NDArray[np.generic] | pd.Series] = {
            "account_id": self._accounts[campaign],
            "campaign_id": self._campaigns[campaign],
        }
        if group is not None:
            columns["ad_group_id"] = self._groups[group]
        if unit is not None:
            columns["ad_id"] = self._ads[unit]
        columns["date"] = self._start + keys[0].astype("timedelta64[D]").astype("timedelta64[s]")
        columns |= {name: values[name] for name in MEASURES[:3]}
        columns["conversions"] = values["conversions"] / 1000
        columns["conversions_value"] = values["conversions_value"] / 100
        return pd.DataFrame(columns)


def group_ids(plan: Plan) -> list[str]:
    return [str(147_300_500_003 + 11 * number) for number in range(len(plan.groups["campaign"]))]


def ad_ids(plan: Plan) -> list[str]:
    return [str(688_100_200_009 + 13 * number) for number in range(len(plan.units["campaign"]))]


def entity_frames(plan: Plan, start: date, now: datetime) -> dict[str, pd.DataFrame]:
    """Accounts, campaigns, ad groups and ads that exist at `now`, with their names and status."""
    today = [(now.astimezone(ZoneInfo(account[3])).date() - start).days for account in ACCOUNTS]
    accounts = pd.DataFrame(
        [(*account[:4], "ENABLED", *account[4:]) for account in ACCOUNTS],
        columns=[
            "account_id",
            "name",
            "currency_code",
            "time_zone",
            "status",
            "is_manager",
            "level",
        ],
    )
    days = [today[campaign.account] for campaign in plan.campaigns]
    campaigns = pd.DataFrame(
        {
            "account_id": [ACCOUNTS[campaign.account][0] for campaign in plan.campaigns],
            "campaign_id": plan.campaign_ids,
            "name": [c.name_on(day) for c, day in zip(plan.campaigns, days, strict=True)],
            "status": [c.status_on(day) for c, day in zip(plan.campaigns, days, strict=True)],
            "channel_type": [CHANNELS[campaign.channel] for campaign in plan.campaigns],
            "start_date": pd.DatetimeIndex(
                [start + timedelta(days=campaign.starts) for campaign in plan.campaigns]
            ).as_unit("s"),
            "is_listed": [
                day < c.unlisted_from for c, day in zip(plan.campaigns, days, strict=True)
            ],
        }
    )
    exists = np.array([c.starts <= day for c, day in zip(plan.campaigns, days, strict=True)])
    parent = campaigns.to_numpy(dtype=object)
    of_group = plan.groups["campaign"]
    groups = pd.DataFrame(
        {
            "account_id": parent[of_group, 0],
            "campaign_id": parent[of_group, 1],
            "ad_group_id": group_ids(plan),
            "name": [f"Group {number % 4 + 1}" for number in range(len(of_group))],
            "status": np.where(parent[of_group, 3] == "REMOVED", "REMOVED", "ENABLED"),
        }
    )[exists[of_group] & campaigns["is_listed"].to_numpy()[of_group]]
    of_ad = plan.units["campaign"]
    age = np.array(days)[of_ad]
    channel = np.array([campaign.channel for campaign in plan.campaigns])[of_ad]
    stopped = (plan.units["ends"] <= age) & (plan.units["ends"] < FOREVER)
    status = np.where(stopped, "PAUSED", "ENABLED")
    group_id = np.array([*group_ids(plan), None], dtype=object)
    ads = pd.DataFrame(
        {
            "account_id": parent[of_ad, 0],
            "campaign_id": parent[of_ad, 1],
            "ad_group_id": group_id[plan.units["group"]],
            "ad_id": ad_ids(plan),
            "status": np.where(parent[of_ad, 3] == "REMOVED", "REMOVED", status),
            "type": np.array(AD_TYPES, dtype=object)[channel],
        }
    )[
        (channel != PERFORMANCE_MAX)
        & (plan.units["starts"] <= age)
        & campaigns["is_listed"].to_numpy()[of_ad]
    ]
    return {
        "ad_accounts": accounts,
        "campaigns": campaigns[exists].reset_index(drop=True),
        "ad_groups": groups.reset_index(drop=True),
        "ads": ads.reset_index(drop=True),
    }
