"""The ad rows that are measured: Google Ads' own shape, one page a day, the same on every run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

ACCOUNT = "4185550101"
LAST_DAY = date(2026, 10, 31)
ADS_A_GROUP, GROUPS_A_CAMPAIGN = 10, 10


@dataclass(frozen=True, slots=True)
class Report:
    """So many days, ending at LAST_DAY, of so many ads each."""

    days: int
    ads: int

    @property
    def first_day(self) -> date:
        return LAST_DAY - timedelta(days=self.days - 1)

    @property
    def rows(self) -> int:
        return self.days * self.ads

    def pages(self) -> Iterator[list[bytes]]:
        """The vendor's rows, about 550 bytes each, in the order of day and ad."""
        for shift in range(self.days):
            day = self.first_day + timedelta(days=shift)
            yield [_row(day, ad) for ad in range(self.ads)]


def _row(day: date, ad: int) -> bytes:
    group = ad // ADS_A_GROUP
    campaign = group // GROUPS_A_CAMPAIGN
    drawn = (ad * 2_654_435_761 + day.toordinal() * 1_640_531_527) % 2**32  # as good as random
    impressions = 20 + drawn % 19_979
    clicks = drawn % (impressions // 20 + 1)
    micros = clicks * (300_000 + drawn % 2_199_989)
    conversions = clicks * (drawn % 9_973) / 99_730
    value = conversions * 87.5
    customer = f"customers/{ACCOUNT}"
    campaign_id, group_id, ad_id = (
        20_400_000_000 + campaign,
        15_1000_000_000 + group,
        66_7000_000_000 + ad,
    )
    return (
        f'{{"customer":{{"resourceName":"{customer}","id":"{ACCOUNT}",'
        f'"timeZone":"Europe/Berlin","currencyCode":"EUR"}},'
        f'"campaign":{{"resourceName":"{customer}/campaigns/{campaign_id}","id":"{campaign_id}"}},'
        f'"adGroup":{{"resourceName":"{customer}/adGroups/{group_id}","id":"{group_id}"}},'
        f'"adGroupAd":{{"resourceName":"{customer}/adGroupAds/{group_id}~{ad_id}",'
        f'"ad":{{"resourceName":"{customer}/ads/{ad_id}","id":"{ad_id}"}}}},'
        f'"metrics":{{"clicks":"{clicks}","conversionsValue":{value:.6f},'
        f'"conversions":{conversions:.6f},"costMicros":"{micros}","impressions":"{impressions}"}},'
        f'"segments":{{"date":"{day}"}}}}'
    ).encode()
