"""Every row of every vendor's error table, with the bodies that the vendors send."""

from __future__ import annotations

import json

import pytest

from ingest.error_table import GENERAL, understand
from ingest.errors import Refused, Skipped, Throttled, Transient
from ingest.exchange import Reply
from ingest.registry import SOURCES
from ingest.sources.survey.typeform import is_expired


def google(status, family="", value="", word="INVALID_ARGUMENT", delay=None, wrap=False):
    failure = {"errorCode": {family: value}, "message": f"about {value}"}
    if delay:
        failure["details"] = {"quotaErrorDetails": {"rateScope": "DEVELOPER", "retryDelay": delay}}
    error = {"code": status, "message": "Request failed.", "status": word}
    if family:
        error["details"] = [{"@type": "GoogleAdsFailure", "errors": [failure], "requestId": "x"}]
    body = {"error": error}
    return status, {}, [body] if wrap else body


def hubspot(status, message="said", headers=None, **more):
    return status, headers or {}, {"status": "error", "message": message, **more}


def typeform(status, code, headers=None):
    return status, headers or {}, {"code": code, "description": "said so"}


NO_BODY = (503, {}, "<html>")
CASES = {
    "google_ads": {
        "closed account": (
            google(403, "authorizationError", "CUSTOMER_NOT_ENABLED", "PERMISSION_DENIED"),
            Skipped,
            "closed or not yet enabled",
        ),
        "day quota": (
            google(429, "quotaError", "RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED", "40591s"),
            40591,
            "used up",
        ),
        "day quota without a delay": (
            google(429, "quotaError", "RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED"),
            3600,
            "used up",
        ),
        "short quota": (
            google(
                429,
                "quotaError",
                "RESOURCE_TEMPORARILY_EXHAUSTED",
                "RESOURCE_EXHAUSTED",
                "5s",
            ),
            5,
            "too many queries",
        ),
        "short-term consumption": (
            google(
                429, "quotaError", "EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION", "UNAVAILABLE"
            ),
            30,
            "too many queries",
        ),
        "a 429 without details": (google(429, word="RESOURCE_EXHAUSTED"), 30, "too many queries"),
        "long-term consumption": (
            google(
                429, "quotaError", "EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION", "UNAVAILABLE"
            ),
            3600,
            "too heavy",
        ),
        "internal error": (
            google(500, "internalError", "INTERNAL_ERROR", "INTERNAL"),
            Transient,
            "Google has trouble",
        ),
        "transient error in a 400": (
            google(400, "internalError", "TRANSIENT_ERROR"),
            Transient,
            "Google has trouble",
        ),
        "deadline": (
            google(504, "internalError", "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"),
            Transient,
            "Google has trouble",
        ),
        "stale page token": (
            google(400, "requestError", "EXPIRED_PAGE_TOKEN"),
            Transient,
            "grew stale",
        ),
        "bad page token": (google(400, "requestError", "INVALID_PAGE_TOKEN"), Transient, "stale"),
        "no permission": (
            google(403, "authorizationError", "USER_PERMISSION_DENIED", "PERMISSION_DENIED"),
            Refused,
            "login_customer_id",
        ),
        "project not approved": (
            google(403, "authorizationError", "DEVELOPER_TOKEN_NOT_APPROVED", "PERMISSION_DENIED"),
            Refused,
            "apply for API access",
        ),
        "terms": (
            google(403, "authorizationError", "MISSING_TOS", "PERMISSION_DENIED"),
            Refused,
            "accept the terms",
        ),
        "not an ads user": (
            google(401, "authenticationError", "NOT_ADS_USER", "UNAUTHENTICATED"),
            Refused,
            "authorise as somebody",
        ),
        "no such customer": (
            google(401, "authenticationError", "CUSTOMER_NOT_FOUND", "UNAUTHENTICATED"),
            Refused,
            "correct the account",
        ),
        "dashes in the id": (
            google(400, "requestError", "INVALID_CUSTOMER_ID"),
            Refused,
            "ten digits",
        ),
        "an old version": (
            google(400, "requestError", "UNSUPPORTED_VERSION"),
            Refused,
            "set api_version",
        ),
        "metrics of a manager": (
            google(400, "queryError", "REQUESTED_METRICS_FOR_MANAGER"),
            Refused,
            "accounts below it",
        ),
        "revoked": (google(401, word="UNAUTHENTICATED"), Refused, "authorise Boscard again"),
        "revoked, in a stream's array": (
            google(401, word="UNAUTHENTICATED", wrap=True),
            Refused,
            "UNAUTHENTICATED",
        ),
        "an unknown field": (
            google(400, "queryError", "UNRECOGNIZED_FIELD"),
            Refused,
            "queryError.UNRECOGNIZED_FIELD: 'about UNRECOGNIZED_FIELD'",
        ),
        "no JSON": (NO_BODY, Transient, "has trouble"),
        "an empty array": ((500, {}, []), Transient, "has trouble"),
    },
    "hubspot": {
        "ten seconds": (
            hubspot(429, errorType="RATE_LIMIT", policyName="TEN_SECONDLY_ROLLING"),
            10,
            "ten seconds",
        ),
        "day": (hubspot(429, errorType="RATE_LIMIT", policyName="DAILY"), 3600, "used up"),
        "search, no policy": (hubspot(429, category="RATE_LIMITS"), 2, "searches"),
        "with Retry-After": (hubspot(429, headers={"retry-after": "12"}), 12, "searches"),
        "migration": (hubspot(477, headers={"retry-after": "900"}), 900, "moving"),
        "migration without a time": (hubspot(477), 600, "moving"),
        "gateway": (NO_BODY, Transient, "HubSpot has trouble"),
        "behind its proxy": ((523, {}, ""), Transient, "HubSpot has trouble"),
        "locked": ((423, {}, ""), Transient, "HubSpot has trouble"),
        "revoked": (
            hubspot(401, category="INVALID_AUTHENTICATION"),
            Refused,
            "authorise Boscard again",
        ),
        "scopes": (
            hubspot(
                403,
                category="MISSING_SCOPES",
                errors=[{"context": {"requiredGranularScopes": ["crm.objects.deals.read"]}}],
            ),
            Refused,
            "needs crm.objects.deals.read",
        ),
        "not found": (hubspot(404, category="OBJECT_NOT_FOUND"), Refused, "no such object"),
        "bad request": (hubspot(400, category="VALIDATION_ERROR"), Refused, "VALIDATION_ERROR"),
    },
    "typeform": {
        "too fast": (typeform(429, "TOO_MANY_REQUESTS"), 1, "two calls in a second"),
        "too fast, told": (typeform(429, "TOO_MANY_REQUESTS", {"retry-after": "4"}), 4, "two"),
        "revoked": (typeform(401, "AUTHENTICATION_FAILED"), Refused, "authorise Boscard again"),
        "revoked with 403": (
            typeform(403, "AUTHENTICATION_FAILED"),
            Refused,
            "authorise Boscard again",
        ),
        "forbidden": (typeform(403, "FORBIDDEN"), Refused, "scopes forms:read"),
        "a form that has gone": (typeform(404, "FORM_NOT_FOUND"), Transient, "deleted meanwhile"),
        "bad request": (typeform(400, "VALIDATION_ERROR"), Refused, "must be changed"),
        "trouble": (NO_BODY, Transient, "has trouble"),
    },
}
FLAT = [
    pytest.param(source, *case, id=f"{source}: {name}")
    for source, cases in CASES.items()
    for name, case in cases.items()
]


def reply_of(status, headers, body) -> Reply:
    content = body if isinstance(body, str) else json.dumps(body)
    return Reply(status, headers, content.encode())


@pytest.mark.parametrize(("source", "said", "expected", "words"), FLAT)
def test_an_answer_means(source, said, expected, words):
    api = SOURCES[source].api
    error = understand(reply_of(*said), SOURCES[source].title, api.rules, api.explain)
    if isinstance(expected, int):
        assert isinstance(error, Throttled)
        assert error.wait == expected
    else:
        assert type(error) is expected
    assert words in str(error)
    assert SOURCES[source].title in str(error)
    if isinstance(error, Refused | Skipped):
        assert error.next_step


@pytest.mark.parametrize("source", SOURCES)
def test_every_row_of_a_table_is_met_by_a_case(source):
    api = SOURCES[source].api
    met = set()
    for said, *_ in CASES[source].values():
        reply = reply_of(*said)
        codes = api.explain(reply).codes
        for number, rule in enumerate((*api.rules, *GENERAL)):
            if rule.matches(reply.status, codes):
                met.add(number)
                break
    assert set(range(len(api.rules))) <= met


GENERALLY = {
    "too many": (429, {}, 60),
    "too many, until a date": (
        429,
        {"retry-after": "Sun, 01 Nov 2026 06:00:30 GMT", "date": "Sun, 01 Nov 2026 06:00:00 GMT"},
        30,
    ),
    "too many, until nonsense": (429, {"retry-after": "soon"}, 60),
    "credentials": (401, {}, Refused),
    "permission": (403, {}, Refused),
    "address": (404, {}, Refused),
    "gone": (410, {}, Refused),
    "timeout": (408, {}, Transient),
    "too early": (425, {}, Transient),
    "trouble": (500, {}, Transient),
    "trouble of a proxy": (599, {}, Transient),
    "moved": (301, {}, Refused),
    "bad request": (400, {}, Refused),
    "teapot": (418, {}, Refused),
    "an error inside a good answer": (200, {}, Refused),
}


@pytest.mark.parametrize(("status", "headers", "expected"), GENERALLY.values(), ids=GENERALLY)
def test_the_general_table(status, headers, expected):
    from ingest.api import Api

    error = understand(Reply(status, headers, b""), "Vendor", (), Api().explain)
    if isinstance(expected, int):
        assert isinstance(error, Throttled)
        assert error.wait == expected
    else:
        assert type(error) is expected


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, "ANY", True),
        (403, "AUTHENTICATION_FAILED", True),
        (403, "FORBIDDEN", False),
        (200, "AUTHENTICATION_FAILED", False),
    ],
)
def test_typeform_says_in_two_ways_that_a_token_is_old(status, code, expected):
    assert is_expired(reply_of(*typeform(status, code))) is expected
