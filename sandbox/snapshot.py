"""What the vendors know at one instant: a set of data frames, one for each kind of record.

Ids are text; instants are `datetime64[us, UTC]` (NaT when not set); days are `datetime64[s]` at
midnight without a zone; counts and micros are int64. What is missing in a text column is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    import pandas as pd

CRM_ACCOUNT = "24601001"
SURVEY_ACCOUNT = "northwind"
MANAGER_ACCOUNT = "4185550100"

STAGES = (
    "appointmentscheduled",
    "qualifiedtobuy",
    "presentationscheduled",
    "contractsent",
    "closedwon",
    "closedlost",
)
STAGE_PROBABILITIES = ("0.2", "0.4", "0.6", "0.8", "1.0", "0.0")
WON, LOST = STAGES.index("closedwon"), STAGES.index("closedlost")

COLUMNS: dict[str, tuple[str, ...]] = {
    "ad_accounts": (
        *("account_id", "name", "currency_code", "time_zone", "status", "is_manager", "level"),
    ),
    "campaigns": (
        *("account_id", "campaign_id", "name", "status", "channel_type", "start_date"),
        "is_listed",
    ),
    "ad_groups": ("account_id", "campaign_id", "ad_group_id", "name", "status"),
    "ads": ("account_id", "campaign_id", "ad_group_id", "ad_id", "status", "type"),
    "campaign_daily": (
        *("account_id", "campaign_id", "date"),
        *("impressions", "clicks", "cost_micros", "conversions", "conversions_value"),
    ),
    "ad_group_daily": (
        *("account_id", "campaign_id", "ad_group_id", "date"),
        *("impressions", "clicks", "cost_micros", "conversions", "conversions_value"),
    ),
    "ad_daily": (
        *("account_id", "campaign_id", "ad_group_id", "ad_id", "date"),
        *("impressions", "clicks", "cost_micros", "conversions", "conversions_value"),
    ),
    "owners": (
        *("owner_id", "email", "first_name", "last_name", "user_id", "is_archived"),
        *("created_at", "updated_at", "team"),
    ),
    "contacts": (
        *("contact_id", "created_at", "updated_at", "archived_at"),
        *("email", "first_name", "last_name", "lifecycle_stage"),
        *("lead_at", "mql_at", "sql_at", "opportunity_at", "customer_at", "first_engaged_at"),
        *("analytics_source", "utm_campaign", "utm_source", "google_click_id", "owner_id"),
        *("merged_ids", "gone_at"),
    ),
    "companies": (
        *("company_id", "created_at", "updated_at", "archived_at"),
        *("name", "domain", "country", "owner_id"),
    ),
    "deals": (
        *("deal_id", "created_at", "updated_at", "archived_at", "name", "pipeline_id"),
        *("stage_id", "amount", "currency_code", "close_at", "deal_type", "owner_id"),
    ),
    "deal_stage_history": ("deal_id", "stage_id", "at"),
    "deal_contacts": ("deal_id", "contact_id"),
    "deal_companies": ("deal_id", "company_id"),
    "forms": ("form_id", "title", "kind"),
    "responses": (
        *("form_id", "token", "response_type", "landed_at", "submitted_at", "contact_id"),
        *("score", "comment", "reason", "visible_at"),
    ),
}

# Text that may be missing; these columns are of dtype object, all other text is pandas' str.
OPTIONAL_TEXT: dict[str, tuple[str, ...]] = {
    "contacts": (
        *("email", "analytics_source", "utm_campaign", "utm_source", "google_click_id"),
        "merged_ids",
    ),
    "deals": ("amount",),
    "responses": ("contact_id", "comment", "reason"),
}


@dataclass(frozen=True)
class Snapshot:
    """The vendors' knowledge at `now`; COLUMNS names the columns of each frame.

    `campaigns.is_listed` is False once a campaign was deleted for good: entity lists no longer
    have it, nor its groups and ads; its report rows remain and still name them.
    `contacts.gone_at` is when a person was deleted for good: since then it is in no list.
    `deals.amount` is text with two decimals or None; `close_at` is the planned date while a deal is
    open.
    `deal_stage_history` is newest first within a deal. `responses.score` is Int64.
    """

    now: datetime
    start: date
    time_zone: ZoneInfo
    ad_accounts: pd.DataFrame
    campaigns: pd.DataFrame
    ad_groups: pd.DataFrame
    ads: pd.DataFrame
    campaign_daily: pd.DataFrame
    ad_group_daily: pd.DataFrame
    ad_daily: pd.DataFrame
    owners: pd.DataFrame
    contacts: pd.DataFrame
    companies: pd.DataFrame
    deals: pd.DataFrame
    deal_stage_history: pd.DataFrame
    deal_contacts: pd.DataFrame
    deal_companies: pd.DataFrame
    forms: pd.DataFrame
    responses: pd.DataFrame
