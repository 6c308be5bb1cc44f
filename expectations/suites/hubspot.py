"""What must hold for HubSpot: records with possible dates, deals with usable money and stages."""

from __future__ import annotations

from expectations.rules import AtLeast, OneOf, RowRule, Rule, Suite
from expectations.standing import as_told, standing
from ingest.sources.crm.hubspot import SOURCE

# HubSpot adds these to answers of a search, whatever properties were asked for.
_KNOWN = tuple(
    f"properties.{name}"
    for name in ("createdate", "hs_lastmodifieddate", "hs_object_id", "lastmodifieddate")
)
_FOREVER = "timestamptz '2000-01-01 00:00:00+00'"


def _record(subject: str) -> tuple[Rule, ...]:
    return (
        RowRule(
            name="created_before_updated",
            action="quarantine",
            severity="warning",
            predicate="created_at > updated_at",
            expected="created_at <= updated_at",
            sentence=f"Some {subject} were changed before they existed.",
        ),
        RowRule(
            name="possible_dates",
            action="quarantine",
            severity="critical",
            predicate=f"least(created_at, updated_at, archived_at) < {_FOREVER} "
            "or greatest(created_at, updated_at, archived_at) > _horizon",
            expected="record dates from 2000 until the night of the pull",
            sentence=f"Some {subject} carry dates that cannot be.",
        ),
    )


def _suite(
    stream: str,
    subject: str,
    rules: tuple[Rule, ...] = (),
    always: tuple[str, ...] = (),
    dated_by: tuple[str, ...] = (),
) -> Suite:
    described = SOURCE.streams[stream]
    return Suite(
        subject=subject,
        rules=(*standing(described, subject), *_told(stream, subject), *rules),
        version="updated_at" if described.load == "changes" else None,
        dated_by=dated_by,
        always=always,
        known=_KNOWN,
        empty_is_null=("properties.",),
    )


def _told(stream: str, subject: str) -> tuple[Rule, ...]:
    described = SOURCE.streams[stream]
    is_told = described.load == "changes" or described.sweeps is not None
    return (as_told(subject),) if is_told else ()


_CONTACTS: tuple[Rule, ...] = (
    *_record("contacts"),
    RowRule(
        name="possible_lifecycle_dates",
        action="quarantine",
        severity="critical",
        predicate="greatest(lead_at, marketing_qualified_at, sales_qualified_at, opportunity_at, "
        "customer_at) > _horizon or least(lead_at, marketing_qualified_at, sales_qualified_at, "
        f"opportunity_at, customer_at) < {_FOREVER}",
        expected="lifecycle dates from 2000 until the night of the pull",
        sentence="Some contacts became leads or customers on dates that cannot be.",
    ),
)
_DEALS: tuple[Rule, ...] = (
    *_record("deals"),
    AtLeast(
        name="amount_not_negative",
        action="quarantine",
        severity="critical",
        column="amount",
        minimum=0,
        expected="amount >= 0",
        sentence="Some deals have a negative amount.",
    ),
    OneOf(
        name="known_currency",
        action="quarantine",
        severity="critical",
        column="currency_code",
        allowed=lambda facts: facts.currencies,
        expected="currency_code is one of the company's currencies, or null",
        sentence="Some deals are in a currency that cannot be converted.",
    ),
    RowRule(
        name="possible_deal_dates",
        action="quarantine",
        severity="critical",
        predicate=f"least(created_date, close_date) < {_FOREVER} or created_date > _horizon "
        "or close_date > _horizon + interval 10 year",
        expected="created from 2000 until the night of the pull, closed at most ten years later",
        sentence="Some deals were opened or closed on dates that cannot be.",
    ),
    RowRule(
        name="stage_history_present",
        action="observe",
        severity="warning",
        predicate="not is_archived and coalesce(try(json_array_length(stage_history)), 0) = 0",
        expected="stage_history is a list with at least one stage",
        sentence="For some deals it is not known when they changed their stage.",
    ),
)


def _is_list(name: str, column: str, least: int, sentence: str) -> Rule:
    return RowRule(
        name=name,
        action="quarantine",
        severity="critical",
        predicate=f"{column} is not null and coalesce(try(json_type({column})), '') <> 'ARRAY' "
        f"or try(json_array_length({column})) < {least}",
        expected=f"{column} is a list of at least {least}",
        sentence=sentence,
    )


_ASSOCIATED = _is_list(
    "associated_list", "associated", 0, "For some deals it is not readable who belongs to them."
)

SUITES: dict[str, Suite] = {
    "contacts": _suite(
        "contacts",
        "contacts",
        _CONTACTS,
        always=("lifecycle_stage", "analytics_source", "marketing_qualified_at", "utm_campaign"),
        dated_by=("created_at",),
    ),
    "companies": _suite("companies", "companies", _record("companies")),
    "deals": _suite(
        "deals",
        "deals",
        _DEALS,
        always=("amount", "currency_code", "close_date", "pipeline_id"),
        # The date on which an open deal is hoped to close lies ahead: it counts where it was made.
        dated_by=("close_date", "created_date"),
    ),
    "owners": _suite("owners", "salespeople"),
    "pipelines": _suite(
        "pipelines",
        "sales pipelines",
        (
            _is_list(
                "stages_listed",
                "stages",
                1,
                "A sales pipeline arrived without its stages.",
            ),
        ),
    ),
    "deal_contacts": _suite("deal_contacts", "links from deals to contacts", (_ASSOCIATED,)),
    "deal_companies": _suite("deal_companies", "links from deals to companies", (_ASSOCIATED,)),
    "contact_ids": _suite("contact_ids", "contacts that are still there"),
    "company_ids": _suite("company_ids", "companies that are still there"),
    "deal_ids": _suite("deal_ids", "deals that are still there"),
}
