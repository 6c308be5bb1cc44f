"""The plan of the ad accounts: campaigns, ad groups and ads, when they run and how well they do.

Days are offsets from the company's first day. The first campaigns carry the oddities that a
young or small company shows as well; a grown one repeats them late in its first year.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sandbox.draws import Columns, generator

ACCOUNTS: Final = (
    ("4185550100", "Northwind Trails", "EUR", "Europe/Berlin", True, 0),
    ("4185550101", "Northwind Trails DE", "EUR", "Europe/Berlin", False, 1),
    ("4185550102", "Northwind Trails US", "USD", "America/New_York", False, 1),
)
CHANNELS: Final = ("SEARCH", "DISPLAY", "PERFORMANCE_MAX", "VIDEO")
AD_TYPES: Final = ("RESPONSIVE_SEARCH_AD", "RESPONSIVE_DISPLAY_AD", "", "VIDEO_RESPONSIVE_AD")
SEARCH, DISPLAY, PERFORMANCE_MAX, VIDEO = range(4)
DE, US = 1, 2
FOREVER: Final = 100_000

_THEMES = (
    *("Brand", "Hut to hut", "Team days", "Alpine weekend", "Snowshoe", "Coast path", "Leadership"),
    *("Guided tours", "Volcano trek", "Canyon week", "Bike and hike", "Family groups", "Offsites"),
    *("Autumn colours", "First aid", "Winter camp", "Map reading", "Sunrise walk", "Night hike"),
)
_MARKETS = ("", "DE", "US")


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign. `ends` stops it serving; `becomes` is its status from that day on."""

    account: int
    channel: int
    name: str
    starts: int = 0
    ends: int = FOREVER
    becomes: str = "ENABLED"
    unlisted_from: int = FOREVER
    renamed_on: int = FOREVER
    new_name: str = ""

    def name_on(self, day: int) -> str:
        return self.new_name if day >= self.renamed_on else self.name

    def status_on(self, day: int) -> str:
        return self.becomes if day >= self.ends else "ENABLED"


ODD_CAMPAIGNS: Final = (
    Campaign(DE, SEARCH, "DE Brand | Search"),
    Campaign(DE, DISPLAY, "<script>alert(1)</script>"),
    Campaign(DE, VIDEO, 'Sommer, "Berge & Seen" 🏔️'),
    Campaign(DE, PERFORMANCE_MAX, "DE Everything | PMax"),
    Campaign(DE, SEARCH, "DE Hütten | Search", renamed_on=9, new_name="DE Hüttentouren | Search"),
    Campaign(DE, SEARCH, "DE Test 1 | Search", ends=11, becomes="PAUSED"),
    Campaign(DE, DISPLAY, "DE Old banner | Display", ends=12, becomes="REMOVED"),
    Campaign(US, SEARCH, "US Typo Seach", ends=13, becomes="REMOVED", unlisted_from=14),
    Campaign(US, SEARCH, "US Brand | Search"),
    Campaign(US, PERFORMANCE_MAX, "US Everything | PMax"),
    Campaign(US, DISPLAY, "US Retargeting | Display"),
    Campaign(US, VIDEO, "US Trail stories | Video"),
    Campaign(US, SEARCH, "US Offsites | Search", starts=8),
    Campaign(DE, SEARCH, "DE Offsites | Search", starts=16),
)


def plan_campaigns(scale: float) -> tuple[Campaign, ...]:
    """60 campaigns at scale 1, at least the fourteen odd ones; a third launches over the year."""
    count = max(len(ODD_CAMPAIGNS), round(60 * scale))
    regular = [_regular_campaign(number) for number in range(count - len(ODD_CAMPAIGNS))]
    return (*ODD_CAMPAIGNS, *regular)


def _regular_campaign(number: int) -> Campaign:
    account = US if number % 5 in (1, 3) else DE
    channel = (SEARCH, DISPLAY, SEARCH, VIDEO, SEARCH, PERFORMANCE_MAX, SEARCH, DISPLAY)[number % 8]
    round_number = number // len(_THEMES)
    theme = _THEMES[number % len(_THEMES)] + (f" {round_number + 1}" if round_number else "")
    name = f"{_MARKETS[account]} {theme} | {CHANNELS[channel].replace('_', ' ').title()}"
    launch = 20 + 8 * (number % 46) if number % 5 in (2, 3) else 0
    match number % 46:
        case 10:
            return Campaign(account, channel, name, ends=230, becomes="PAUSED")
        case 20:
            return Campaign(account, channel, name, ends=310, becomes="REMOVED")
        case 30:
            return Campaign(account, channel, name, ends=371, becomes="REMOVED", unlisted_from=372)
        case 40 | 4 | 14 | 24:
            return Campaign(
                account,
                channel,
                name,
                renamed_on=401 - 90 * (number % 4),
                new_name=f"{name} (new)",
            )
        case _:
            return Campaign(account, channel, name, starts=launch)


@dataclass(frozen=True)
class Plan:
    """Campaigns and what serves in them, as columns.

    A unit is what serves: an ad, or a whole Performance Max campaign, which has neither ad groups
    nor ads (`group` is -1). Units of a campaign are neighbours: `first_unit`, `unit_count`.
    """

    campaigns: tuple[Campaign, ...]
    campaign_ids: tuple[str, ...]
    groups: Columns
    units: Columns
    first_unit: NDArray[np.int64]
    unit_count: NDArray[np.int64]


def make_plan(seed: int, scale: float) -> Plan:
    """The plan of all ad accounts; it depends on nothing but seed and scale."""
    campaigns = plan_campaigns(scale)
    ads_each = max(3, round(ADS_PER_CAMPAIGN * 60 * scale / len(campaigns)))
    units: list[Columns] = []
    group_campaigns: list[int] = []
    for number, campaign in enumerate(campaigns):
        rng = generator(seed, "plan", number)
        count = 1 if campaign.channel == PERFORMANCE_MAX else ads_each
        group_count = 0 if campaign.channel == PERFORMANCE_MAX else max(1, min(4, count // 2))
        group = np.sort(np.arange(count) % max(1, group_count)) + len(group_campaigns)
        units.append(_draw_units(rng, number, campaign, count, group if group_count else None))
        group_campaigns.extend([number] * group_count)
    sizes = np.array([len(unit["campaign"]) for unit in units])
    return Plan(
        campaigns=campaigns,
        campaign_ids=tuple(str(20_918_300_017 + 7 * n) for n in range(len(campaigns))),
        groups={"campaign": np.array(group_campaigns)},
        units={name: np.concatenate([unit[name] for unit in units]) for name in units[0]},
        first_unit=np.cumsum(sizes) - sizes,
        unit_count=sizes,
    )


ADS_PER_CAMPAIGN: Final = 17
_CLICKS_PER_DAY = (44, 30, 75, 22)  # of a whole campaign, by channel
_CLICK_RATE = (0.058, 0.0085, 0.021, 0.011)
_CLICK_PRICE = (2.1, 0.75, 1.35, 0.0)
_IMPRESSION_PRICE = (0.0, 0.0, 0.0, 0.014)
_LEAD_RATE = (0.0196, 0.0068, 0.015, 0.0082)
_OTHER_CONVERSION_RATE = (0.034, 0.012, 0.03, 0.018)
_TEASER_SHARE, _VIEW_RATE = 0.03, 0.02  # a video watched and not clicked, bought from later


def _draw_units(
    rng: np.random.Generator,
    number: int,
    campaign: Campaign,
    count: int,
    group: NDArray[np.int64] | None,
) -> Columns:
    channel = campaign.channel
    weight = rng.dirichlet(np.full(count, 4.0))
    is_teaser = (np.arange(count) == count - 1) & (channel == VIDEO)
    weight = np.where(is_teaser, _TEASER_SHARE * weight, weight)
    click_rate = _CLICK_RATE[channel] * rng.lognormal(0, 0.2, count)
    clicks = _CLICKS_PER_DAY[channel] * rng.lognormal(0, 0.25) * weight
    fate = rng.random(count)
    late = (fate > 0.9) & (np.arange(count) > 0) & ~is_teaser
    starts = campaign.starts + np.where(late, rng.integers(10, 200, count), 0)
    stops = np.where((fate < 0.08) & (np.arange(count) > 0), rng.integers(60, 360, count), FOREVER)
    ends = np.minimum(campaign.ends, np.where(stops < FOREVER, starts + stops, FOREVER))
    return {
        "campaign": np.full(count, number),
        "group": np.full(count, -1) if group is None else group,
        "starts": starts,
        "ends": ends,
        "impressions": clicks / click_rate,
        "click_rate": click_rate,
        "click_price": _CLICK_PRICE[channel] * rng.lognormal(0, 0.15, count),
        "impression_price": _IMPRESSION_PRICE[channel] * rng.lognormal(0, 0.1, count),
        "lead_rate": _LEAD_RATE[channel] * rng.lognormal(0, 0.2, count),
        "view_rate": np.where(is_teaser, _VIEW_RATE, 0.0),
        "other_rate": _OTHER_CONVERSION_RATE[channel] * rng.lognormal(0, 0.2, count),
    }
