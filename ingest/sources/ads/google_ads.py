"""Google Ads over REST: level reports asked for separately, `:search` pages of 10,000 rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ingest.api import Api
from ingest.batch import Window
from ingest.connections import Connection
from ingest.exchange import Page, Request
from ingest.paginators import OnePage, TokenInBody
from ingest.sources.ads.google_ads_errors import RULES, explain
from ingest.stream import Column, Source, Stream

if TYPE_CHECKING:
    from ingest.pull import Pull

RESOURCES = {
    "customers": "customer_client",
    "campaigns": "campaign",
    "ad_groups": "ad_group",
    "ads": "ad_group_ad",
    "campaign_daily": "campaign",
    "ad_group_daily": "ad_group",
    "ad_daily": "ad_group_ad",
}
API_VERSION = "v26"


def pull_report(pull: Pull) -> Iterator[Page]:
    """One report; the list of customers is asked of the manager account."""
    connection, customer = pull.connection, pull.unit.account
    if pull.stream.scope == "connection":
        customer = connection.extra.get("login_customer_id") or pull.account.account
    query = gaql(pull.stream, pull.unit.window)
    yield from pull.pages(
        _search(connection, customer, query), TokenInBody("nextPageToken", "pageToken")
    )


def gaql(stream: Stream, window: Window | None) -> str:
    """The query of a stream: its columns, and the window's days as the account counts them."""
    fields = ", ".join(_snake(column.path) for column in stream.columns)
    query = f"SELECT {fields} FROM {RESOURCES[stream.name]}"  # noqa: S608 (GAQL of our own)
    if window is None:
        return query
    return (
        f"{query} WHERE segments.date BETWEEN '{window.start}' AND '{window.end}' "
        "ORDER BY segments.date"
    )


def _search(connection: Connection, customer: str, query: str) -> Request:
    version = connection.extra.get("api_version") or API_VERSION
    path = f"/{version}/customers/{customer.replace('-', '')}/googleAds:search"
    return Request("POST", path, body={"query": query}, empty_mark="fieldMask")


def _snake(path: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found[1].lower(), path)


def headers(connection: Connection) -> Mapping[str, str]:
    """The manager above the accounts, and the developer token where one is asked for."""
    found = {
        "login-customer-id": connection.extra.get("login_customer_id", "").replace("-", ""),
        "developer-token": connection.extra.get("developer_token", ""),
    }
    return {name: value for name, value in found.items() if value}


def check(pull: Pull) -> Iterator[str]:
    """One row about the account: it can be read, and the settings agree with it."""
    query = "SELECT customer.id, customer.currency_code, customer.time_zone FROM customer"
    for page in pull.pages(_search(pull.connection, pull.account.account, query), OnePage()):
        for row in map(page.row, range(len(page.rows))):
            customer, account = row["customer"], pull.account
            if customer.get("timeZone") != account.time_zone:
                yield f"its time zone is {customer.get('timeZone')}, not {account.time_zone}"
            if customer.get("currencyCode") != account.currency:
                yield f"its currency is {customer.get('currencyCode')}, not {account.currency}"


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
        columns=(*_ACCOUNT, *_CAMPAIGN, Column("start_date", "campaign.startDateTime", "text")),
        pull=pull_report,
    ),
    Stream(
        name="ad_groups",
        load="snapshot",
        key=("account_id", "ad_group_id"),
        columns=(
            *_ACCOUNT,
            Column("campaign_id", "campaign.id", "text", required=True),
            *_AD_GROUP,
        ),
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
    api=Api(
        rules=RULES,
        explain=explain,
        token_url="https://oauth2.googleapis.com/token",  # noqa: S106
        headers=headers,
        check=check,
    ),
    account_pattern=r"[0-9]{10}",
    account_words="the customer id without dashes, 10 digits, such as '4185550101'",
)
