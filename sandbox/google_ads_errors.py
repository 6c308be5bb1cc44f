"""The Google Ads error bodies: the envelope, the GoogleAdsFailure inside it, and the plain ones of
the token endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sandbox.exchange import Reply

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
MESSAGES = {
    400: "Request contains an invalid argument.",
    403: "The caller does not have permission",
    404: "Requested entity was not found.",
    429: "Resource has been exhausted (e.g. check quota).",
    500: "Internal error encountered.",
    503: "The service is currently unavailable.",
}
NOT_AUTHENTICATED = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie "
    "or other valid authentication credential. See "
    "https://developers.google.com/identity/sign-in/web/devconsole-project."
)
PACKAGE = "google.ads.googleads"
HOURS = 120


def indented(status: int, content: Any, request_id: str | None = None) -> Reply:
    """A reply as Google writes it: indented by two."""
    headers = {"request-id": request_id} if request_id else {}
    return Reply(
        status, msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n", headers
    )


def failure(
    status: int,
    family: str,
    code: str,
    message: str,
    *,
    version: str,
    request_id: str,
    details: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The error envelope with one GoogleAdsFailure error; `family` is lowerCamel (`queryError`)."""
    error: dict[str, Any] = {"errorCode": {family: code}, "message": message}
    if details:
        error["details"] = dict(details)
    return {
        "error": {
            "code": status,
            "message": NOT_AUTHENTICATED if status == 401 else MESSAGES[status],
            "status": STATUSES[status],
            "details": [
                {
                    "@type": f"type.googleapis.com/{PACKAGE}.{version}.errors.GoogleAdsFailure",
                    "errors": [error],
                    "requestId": request_id,
                }
            ],
        }
    }


def plain(status: int, message: str | None = None) -> dict[str, Any]:
    """An error envelope without a GoogleAdsFailure."""
    return {
        "error": {
            "code": status,
            "message": message or MESSAGES.get(status, "Error"),
            "status": STATUSES.get(status, "UNKNOWN"),
        }
    }


def throttled(seconds: int, *, version: str, request_id: str) -> dict[str, Any]:
    """The recorded 429: a used-up day for waits over two minutes, a short-term refusal below."""
    is_long = seconds > HOURS
    return failure(
        429,
        "quotaError",
        "RESOURCE_EXHAUSTED" if is_long else "RESOURCE_TEMPORARILY_EXHAUSTED",
        f"Too many requests. Retry in {seconds} seconds.",
        version=version,
        request_id=request_id,
        details={
            "quotaErrorDetails": {
                "rateScope": "DEVELOPER" if is_long else "ACCOUNT",
                "rateName": (
                    "Number of operations for basic access"
                    if is_long
                    else "Requests per service per method"
                ),
                "retryDelay": f"{seconds}s",
            }
        },
    )


TOKEN_DENIALS: dict[str, tuple[int, dict[str, str]]] = {
    "invalid_grant": (
        400,
        {"error": "invalid_grant", "error_description": "Token has been expired or revoked."},
    ),
    "invalid_client": (
        401,
        {"error": "invalid_client", "error_description": "The OAuth client was not found."},
    ),
    "unsupported_grant_type": (
        400,
        {"error": "unsupported_grant_type", "error_description": "Invalid grant_type: "},
    ),
}
