"""What Google Ads' error answers mean."""

from __future__ import annotations

import re
from typing import Any

from ingest.error_table import Problem, Rule
from ingest.errors import Refused, Skipped, Throttled, Transient
from ingest.exchange import Reply


def explain(reply: Reply) -> Problem:
    """Codes as `family.VALUE` and the status word; a stream's error body is wrapped in an array."""
    body: Any = reply.json()
    if isinstance(body, list):
        body = body[0] if body else None
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return Problem()
    failures = [
        failure
        for detail in error.get("details") or ()
        if isinstance(detail, dict)
        for failure in detail.get("errors") or ()
    ]
    codes = {str(error.get("status") or "")}
    waits = []
    for failure in failures:
        codes |= {f"{family}.{value}" for family, value in failure.get("errorCode", {}).items()}
        quota = (failure.get("details") or {}).get("quotaErrorDetails") or {}
        waits.append(_seconds(quota.get("retryDelay")))
    words = [str(failure.get("message")) for failure in failures if failure.get("message")]
    return Problem(
        codes=frozenset(code for code in codes if code),
        detail="; ".join(words) or str(error.get("message") or ""),
        wait=max((seconds for seconds in waits if seconds is not None), default=None),
        status=error.get("code") if isinstance(error.get("code"), int) else None,
    )


def _seconds(duration: Any) -> float | None:
    """A protobuf Duration such as "40591s"."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)s", str(duration))
    return float(found[1]) if found else None


RULES = (
    Rule(
        Skipped,
        "the ad account is closed or not yet enabled",
        "remove it from the settings if it stays closed",
        codes=("authorizationError.CUSTOMER_NOT_ENABLED",),
    ),
    Rule(
        Throttled,
        "today's operations are used up",
        codes=("quotaError.RESOURCE_EXHAUSTED",),
        wait=3600,
    ),
    Rule(
        Throttled,
        "too many queries at once",
        codes=(
            "quotaError.RESOURCE_TEMPORARILY_EXHAUSTED",
            "quotaError.EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION",
            "RESOURCE_EXHAUSTED",
        ),
        wait=30,
    ),
    Rule(
        Throttled,
        "the queries were too heavy for too long",
        codes=("quotaError.EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION",),
        wait=3600,
    ),
    Rule(
        Transient,
        "Google has trouble",
        codes=(
            "internalError.INTERNAL_ERROR",
            "internalError.TRANSIENT_ERROR",
            "internalError.DEADLINE_EXCEEDED",
        ),
    ),
    Rule(
        Transient,
        "the report's page token grew stale",
        codes=("requestError.EXPIRED_PAGE_TOKEN", "requestError.INVALID_PAGE_TOKEN"),
    ),
    Rule(
        Refused,
        "the login may not read this ad account",
        "set login_customer_id to the manager above the account, and give the authorised person "
        "access to it",
        codes=("authorizationError.USER_PERMISSION_DENIED",),
    ),
    Rule(
        Refused,
        "the Google Cloud project or developer token is not approved",
        "apply for API access at Google Ads (API Center)",
        codes=(
            "authorizationError.DEVELOPER_TOKEN_NOT_APPROVED",
            "authorizationError.DEVELOPER_TOKEN_PROHIBITED",
            "authorizationError.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION",
            "requestError.DEVELOPER_TOKEN_PARAMETER_MISSING",
        ),
    ),
    Rule(
        Refused,
        "somebody must accept Google's terms",
        "sign in to Google Ads and accept the terms of service",
        codes=("authorizationError.MISSING_TOS",),
    ),
    Rule(
        Refused,
        "the authorised person has no Google Ads account",
        "authorise as somebody who can open the ad account",
        codes=("authenticationError.NOT_ADS_USER",),
    ),
    Rule(
        Refused,
        "there is no such ad account",
        "correct the account's id in the settings (ten digits, no dashes)",
        codes=("authenticationError.CUSTOMER_NOT_FOUND", "requestError.INVALID_CUSTOMER_ID"),
    ),
    Rule(
        Refused,
        "this API version has ended",
        "set api_version in the connection's extra to a supported one",
        codes=("requestError.UNSUPPORTED_VERSION",),
    ),
    Rule(
        Refused,
        "this is a manager account, which has no figures of its own",
        "list the accounts below it in the settings instead",
        codes=("queryError.REQUESTED_METRICS_FOR_MANAGER",),
    ),
    Rule(
        Refused,
        "access was revoked or has expired",
        "authorise Boscard again at Google and put the new refresh_token into the connection",
        status=(401,),
    ),
    Rule(
        Refused,
        "the query is not valid in this API version",
        "set api_version in the connection's extra to the version named in docs/accounts.md",
        status=(400,),
    ),
)
