"""HubSpot CRM: lists on the first night, then searches by modification time and archive sweeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingest.stream import Column, Source, Stream

if TYPE_CHECKING:
    from ingest.client import Page
    from ingest.pull import Pull


def pull_objects(pull: Pull) -> Iterator[Page]:
    raise NotImplementedError


def pull_owners(pull: Pull) -> Iterator[Page]:
    raise NotImplementedError


def pull_pipelines(pull: Pull) -> Iterator[Page]:
    raise NotImplementedError


def pull_associations(pull: Pull) -> Iterator[Page]:
    raise NotImplementedError


_OBJECT = (
    Column("created_at", "createdAt", "timestamp", required=True),
    Column("updated_at", "updatedAt", "timestamp", required=True),
    Column("is_archived", "archived", "boolean", required=True),
    Column("archived_at", "archivedAt", "timestamp"),
)
_ASSOCIATION = (
    Column("deal_id", "from.id", "text", required=True),
    Column("associated", "to", "json", required=True),
)

STREAMS = (
    Stream(
        name="contacts",
        load="changes",
        key=("contact_id",),
        restatement_days=1,
        window_days=3660,
        columns=(
            Column("contact_id", "id", "text", required=True),
            *_OBJECT,
            Column("email", "properties.email", "text", personal=True),
            Column("first_name", "properties.firstname", "text", personal=True),
            Column("last_name", "properties.lastname", "text", personal=True),
            Column("lifecycle_stage", "properties.lifecyclestage", "text"),
            Column("lead_at", "properties.hs_lifecyclestage_lead_date", "timestamp"),
            Column(
                "marketing_qualified_at",
                "properties.hs_lifecyclestage_marketingqualifiedlead_date",
                "timestamp",
            ),
            Column(
                "sales_qualified_at",
                "properties.hs_lifecyclestage_salesqualifiedlead_date",
                "timestamp",
            ),
            Column("opportunity_at", "properties.hs_lifecyclestage_opportunity_date", "timestamp"),
            Column("customer_at", "properties.hs_lifecyclestage_customer_date", "timestamp"),
            Column("first_engaged_at", "properties.hs_sa_first_engagement_date", "timestamp"),
            Column("analytics_source", "properties.hs_analytics_source", "text"),
            Column("utm_campaign", "properties.utm_campaign", "text"),
            Column("google_click_id", "properties.hs_google_click_id", "text", personal=True),
            Column("owner_id", "properties.hubspot_owner_id", "text"),
            Column("merged_contact_ids", "properties.hs_merged_object_ids", "text"),
        ),
        pull=pull_objects,
    ),
    Stream(
        name="companies",
        load="changes",
        key=("company_id",),
        restatement_days=1,
        window_days=3660,
        columns=(
            Column("company_id", "id", "text", required=True),
            *_OBJECT,
            Column("name", "properties.name", "text"),
            Column("domain", "properties.domain", "text"),
            Column("country", "properties.country", "text"),
            Column("owner_id", "properties.hubspot_owner_id", "text"),
        ),
        pull=pull_objects,
    ),
    Stream(
        name="deals",
        load="changes",
        key=("deal_id",),
        restatement_days=1,
        window_days=3660,
        columns=(
            Column("deal_id", "id", "text", required=True),
            *_OBJECT,
            Column("deal_name", "properties.dealname", "text"),
            Column("pipeline_id", "properties.pipeline", "text"),
            Column("stage_id", "properties.dealstage", "text", required=True),
            Column("amount", "properties.amount", "decimal"),
            Column("currency_code", "properties.deal_currency_code", "text"),
            Column("created_date", "properties.createdate", "timestamp", required=True),
            Column("close_date", "properties.closedate", "timestamp"),
            Column("deal_type", "properties.dealtype", "text"),
            Column("owner_id", "properties.hubspot_owner_id", "text"),
            Column("stage_history", "propertiesWithHistory.dealstage", "json"),
        ),
        pull=pull_objects,
    ),
    Stream(
        name="owners",
        load="snapshot",
        key=("owner_id",),
        columns=(
            Column("owner_id", "id", "text", required=True),
            Column("email", "email", "text", personal=True),
            Column("first_name", "firstName", "text", personal=True),
            Column("last_name", "lastName", "text", personal=True),
            Column("is_archived", "archived", "boolean"),
        ),
        pull=pull_owners,
    ),
    Stream(
        name="pipelines",
        load="snapshot",
        key=("pipeline_id",),
        columns=(
            Column("pipeline_id", "id", "text", required=True),
            Column("label", "label", "text"),
            Column("stages", "stages", "json", required=True),
        ),
        pull=pull_pipelines,
    ),
    Stream(
        name="deal_contacts",
        load="replace",
        key=("deal_id",),
        columns=_ASSOCIATION,
        pull=pull_associations,
    ),
    Stream(
        name="deal_companies",
        load="replace",
        key=("deal_id",),
        columns=_ASSOCIATION,
        pull=pull_associations,
    ),
)

SOURCE = Source(
    name="hubspot",
    title="HubSpot",
    area="crm",
    base_url="https://api.hubapi.com",
    streams={stream.name: stream for stream in STREAMS},
    concurrency=2,
)
