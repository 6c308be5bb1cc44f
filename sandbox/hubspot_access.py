"""Who may call HubSpot and how often: its token endpoint, its bearer tokens and its rate limits."""

from __future__ import annotations

import math
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.exchange import Asked, Reply, World
from sandbox.hubspot_objects import TYPES
from sandbox.limits import Daily, Limits, Rolling
from sandbox.tokens import Granted, Tokens, TokenStanding

NO_CREDENTIALS = (
    "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can "
    "find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOURS = 120


class RefusedError(Exception):
    """A call the vendor refuses, with its error body."""

    def __init__(self, status: int, category: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.content = {"status": "error", "message": message, "category": category, **more}


class Access:
    """Tokens and limits of the portal. Search has a limit of its own, for the whole account."""

    def __init__(self, tokens: Tokens, limits: Limits, monotonic: Callable[[], float]) -> None:
        self.tokens = tokens
        self._oauth = Rolling(limits.hubspot_oauth_per_ten_seconds, 10.0, monotonic)
        self._private = Rolling(limits.hubspot_private_per_ten_seconds, 10.0, monotonic)
        self._daily = Daily(limits.hubspot_private_a_day)
        self._search_rate = Rolling(limits.hubspot_search_per_second, 1.0, monotonic)
        self._calls = 0
        self._refusals = 0
        self._lock = threading.Lock()

    def token(self, asked: Asked) -> Reply:
        """Answer the token endpoint; its later versions say more than the first."""
        form = asked.form()
        granted = self.tokens.refresh(form)
        is_first_version = asked.path.startswith("/oauth/v1/")
        if isinstance(granted, Granted):
            content: dict[str, Any] = {
                "token_type": "bearer",
                "access_token": granted.access_token,
                "refresh_token": granted.refresh_token,
                "expires_in": granted.expires_in,
            }
            if not is_first_version:
                content |= {
                    "hub_id": 24601001,
                    "user_id": 9586504,
                    "is_private_distribution": False,
                }
                content["scopes"] = ["oauth", *(f"crm.objects.{name}.read" for name in TYPES)]
            return self.reply(200, content)
        status, message, error = {
            "invalid_grant": (
                "BAD_REFRESH_TOKEN",
                "missing or unknown refresh token",
                "invalid_grant",
            ),
            "invalid_client": ("BAD_CLIENT_ID", "missing or unknown client id", "invalid_client"),
            "unsupported_grant_type": (
                "BAD_GRANT_TYPE",
                "missing or unknown grant type",
                "unsupported_grant_type",
            ),
        }[granted]
        content = {"status": status, "message": message, "correlationId": self._correlation()}
        if not is_first_version:
            description = "refresh token is invalid, expired or revoked"
            content |= {
                "error": error,
                "error_description": description if error == "invalid_grant" else message,
            }
        return self.reply(400, content)

    def authenticated(self, asked: Asked, world: World) -> TokenStanding:
        """How the call's token stands. Raises RefusedError unless it is valid."""
        if asked.bearer is None:
            raise RefusedError(401, "INVALID_AUTHENTICATION", NO_CREDENTIALS)
        standing = self.tokens.standing(asked.bearer)
        if standing.standing == "valid":
            return standing
        if standing.is_private:
            raise RefusedError(401, "INVALID_AUTHENTICATION", NO_CREDENTIALS)
        if standing.standing == "unknown":
            text, expired_at = f"{(world.now - EPOCH).days} day(s)", EPOCH
        else:
            text = f"{max(standing.seconds_ago, 1)} second(s)"
            expired_at = world.now - timedelta(seconds=standing.seconds_ago)
        raise RefusedError(
            401,
            "EXPIRED_AUTHENTICATION",
            f"The OAuth token used to make this call expired {text} ago.",
            context={"expire time": [f"{expired_at:%Y-%m-%dT%H:%M:%S}.000Z"]},
        )

    def limited(self, standing: TokenStanding, world: World, *, is_search: bool) -> Reply | None:
        """The vendor's 429 when the call is one too many, else None."""
        if standing.is_private and not self._daily.take(world.as_of_date):
            return self._too_many("DAILY", "daily")
        if is_search:
            return self._secondly() if self._search_rate.take() else None
        wait = self._bucket(standing).take()
        return self._rolling(self.rate_headers(standing), math.ceil(wait)) if wait else None

    def throttled(self, seconds: int, *, is_search: bool) -> Reply:
        """The vendor's 429: by the day for long waits, else by the second or the ten seconds."""
        if seconds > HOURS:
            return self._too_many("DAILY", "daily")
        return self._secondly() if is_search else self._rolling({}, seconds)

    def refusal(self, refused: RefusedError) -> Reply:
        """The error reply of a refused call."""
        content = refused.content | {"correlationId": self._correlation()}
        return self.reply(refused.status, content)

    def broken(self, status: int) -> Reply:
        """The vendor's own failure; which category it gives then is not known, so none."""
        content = {"status": "error", "message": "internal error"}
        return self.reply(status, content | {"correlationId": self._correlation()})

    def reply(self, status: int, content: Any, headers: Mapping[str, str] | None = None) -> Reply:
        """Any reply, with the header every one of this vendor has."""
        correlation = {"X-HubSpot-Correlation-Id": self._correlation()}
        return Reply.of(status, content, {**correlation, **(headers or {})})

    def rate_headers(self, standing: TokenStanding) -> dict[str, str]:
        """Daily figures are told to private apps only."""
        bucket = self._bucket(standing)
        headers: dict[str, str] = {}
        if bucket.limit is not None:
            headers |= {
                "X-HubSpot-RateLimit-Max": str(bucket.limit),
                "X-HubSpot-RateLimit-Remaining": str(bucket.remaining),
                "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            }
        if standing.is_private and self._daily.limit is not None:
            headers["X-HubSpot-RateLimit-Daily"] = str(self._daily.limit)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(self._daily.remaining)
        return headers

    def _rolling(self, headers: Mapping[str, str], wait: int) -> Reply:
        """The ten-second refusal; every other one says how long to wait, as the vendor does."""
        reply = self._too_many("TEN_SECONDLY_ROLLING", "ten_secondly_rolling", headers)
        with self._lock:
            self._refusals += 1
            is_told = self._refusals % 2 == 1
        if not is_told:
            return reply
        return Reply(reply.status, reply.body, {**reply.headers, "Retry-After": str(wait)})

    def _too_many(self, policy: str, text: str, headers: Mapping[str, str] | None = None) -> Reply:
        content = {
            "status": "error",
            "message": f"You have reached your {text} limit.",
            "errorType": "RATE_LIMIT",
            "correlationId": self._correlation(),
            "policyName": policy,
            "requestId": self._correlation(),
        }
        return self.reply(429, content, headers)

    def _secondly(self) -> Reply:
        content = {
            "status": "error",
            "message": "You have reached your secondly limit.",
            "correlationId": self._correlation(),
            "category": "RATE_LIMITS",
        }
        return self.reply(429, content)

    def _bucket(self, standing: TokenStanding) -> Rolling:
        return self._private if standing.is_private else self._oauth

    def _correlation(self) -> str:
        with self._lock:
            self._calls += 1
            return str(uuid.uuid5(uuid.NAMESPACE_URL, f"northwind/{self._calls}"))
