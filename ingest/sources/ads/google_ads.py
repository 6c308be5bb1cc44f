"""Google Ads over REST: level reports asked for separately, `:search` pages of 10,000 rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingest.stream import Column, Source, Stream

if TYPE_CHECKING:
    from ingest.client import Page
    from ingest.pull import Pull


def pull_report(pull: Pull) -> Iterator[Page]:
    raise NotImplementedError


_ACCOUNT = (
    Column("account_id", "customer.id", "text", required=True),
    Column("currency_code", "customer.currencyCode", "text", required=True),
    Column("time_zone", "customer.timeZone", "text", required=True),
)
_METRICS = (
    Column("report_date", "segments.date", "date", required=True),
    Column("impressions", "metrics.impressions", "bigint"),
    Column("clicks", "metrics.clicks", "bigint"),
    Column("cost_micros", "metrics.costMicros", "bigint"),
    Column("conversions", "metrics.conversions", "decimal"),
    Column("conversions_value", "metrics.conversionsValue", "decimal"),
)
_CAMPAIGN = (
    Column("campaign_id", "campaign.id", "text", required=True),
    Column("campaign_name", "campaign.name", "text"),
    Column("campaign_status", "campaign.status", "text"),
    Column("channel_type", "campaign.advertisingChannelType", "text"),
)
_AD_GROUP = (
    Column("ad_group_id", "adGroup.id", "text", required=True),
    Column("ad_group_name", "adGroup.name", "text"),
    Column("ad_group_status", "adGroup.status", "text"),
)
_AD = (
    Column("ad_id", "adGroupAd.ad.id", "text", required=True),
    Column("ad_status", "adGroupAd.status", "text"),
)

STREAMS = (
    Stream(
        name="customers",
        load="snapshot",
        scope="connection",
        key=("account_id",),
        columns=(
            Column("account_id", "customerClient.id", "text", required=True),
            Column("name", "customerClient.descriptiveName", "text"),
            Column("currency_code", "customerClient.currencyCode", "text", required=True),
            Column("time_zone", "customerClient.timeZone", "text", required=True),
            Column("status", "customerClient.status", "text"),
            Column("is_manager", "customerClient.manager", "boolean"),
            Column("level", "customerClient.level", "bigint"),
        ),
        pull=pull_report,
    ),
    Stream(
        name="campaigns",
        load="snapshot",
        key=("account_id", "campaign_id"),
        columns=(*_ACCOUNT, *_CAMPAIGN, Column("start_date", "campaign.startDate", "text")),
        pull=pull_report,
    ),
    Stream(
        name="ad_groups",
        load="snapshot",
        key=("account_id", "ad_group_id"),
        columns=(*_ACCOUNT, Column("campaign_id", "campaign.id", "text", required=True), *_AD_GROUP),
        pull=pull_report,
    ),
    Stream(
        name="ads",
        load="snapshot",
        key=("account_id", "ad_group_id", "ad_id"),
        columns=(
            *_ACCOUNT,
            Column("campaign_id", "campaign.id", "text", required=True),
            Column("ad_group_id", "adGroup.id", "text", required=True),
            *_AD,
            Column("ad_type", "adGroupAd.ad.type", "text"),
        ),
        pull=pull_report,
    ),
    Stream(
        name="campaign_daily",
        load="window",
        key=("account_id", "campaign_id", "report_date"),
        date_column="report_date",
        restatement_days=30,
        window_days=450,
        columns=(*_ACCOUNT, *_CAMPAIGN, *_METRICS),
        pull=pull_report,
    ),
    Stream(
        name="ad_group_daily",
        load="window",
        key=("account_id", "ad_group_id", "report_date"),
        date_column="report_date",
        restatement_days=30,
        window_days=200,
        columns=(
            *_ACCOUNT,
            Column("campaign_id", "campaign.id", "text", required=True),
            Column("ad_group_id", "adGroup.id", "text", required=True),
            *_METRICS,
        ),
        pull=pull_report,
    ),
    Stream(
        name="ad_daily",
        load="window",
        key=("account_id", "ad_group_id", "ad_id", "report_date"),
        date_column="report_date",
        restatement_days=30,
        window_days=100,
        columns=(
            *_ACCOUNT,
            Column("campaign_id", "campaign.id", "text", required=True),
            Column("ad_group_id", "adGroup.id", "text", required=True),
            Column("ad_id", "adGroupAd.ad.id", "text", required=True),
            *_METRICS,
        ),
        pull=pull_report,
    ),
)

SOURCE = Source(
    name="google_ads",
    title="Google Ads",
    area="ads",
    base_url="https://googleads.googleapis.com",
    streams={stream.name: stream for stream in STREAMS},
    concurrency=4,
)
