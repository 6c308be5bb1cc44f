"""Authentication as generators: send, look at the reply, maybe send again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol

from ingest.connections import Connection
from ingest.error_table import retry_after
from ingest.errors import IngestError, Refused, Throttled, Transient
from ingest.exchange import Reply, Request
from ingest.tokens import TokenStore, seal, unseal

Flow = Generator[Request, Reply, None]
MARGIN = 120.0


class Auth(Protocol):
    def flow(self, request: Request) -> Flow:
        """Yields requests to send and is sent their replies; the last reply is the answer."""
        ...

    def secrets(self) -> tuple[str, ...]:
        """What must not be written anywhere."""
        ...


def is_unauthorized(reply: Reply) -> bool:
    return reply.status == 401


class Bearer:
    """A token that does not expire (a private app's, a personal one)."""

    def __init__(self, token: str) -> None:
        self._token = token

    def flow(self, request: Request) -> Flow:
        yield _authorized(request, self._token)

    def secrets(self) -> tuple[str, ...]:
        return (self._token,)


@dataclass(frozen=True, slots=True)
class _Access:
    token: str
    expires_at: float


class OAuth:
    """An access token from a refresh token, for all threads of one connection.

    It is refreshed under a lock, once, `MARGIN` seconds before it expires or when the vendor says
    that it has. Other processes of the connection wait meanwhile and then begin with the refresh
    token that this one has saved: of two that send the same one, a vendor that rotates refuses the
    second. A rotated refresh token is saved before its access token is first used: the old one is
    dead by then, and a night that is killed must not take the new one with it.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        name: str,
        title: str,
        token_url: str,
        tokens: TokenStore,
        scope: str = "",
        is_expired: Callable[[Reply], bool] = is_unauthorized,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._name = name
        self._title = title
        self._token_url = token_url
        self._tokens = tokens
        self._scope = scope
        self._is_expired = is_expired
        self._now = now
        self._lock = threading.Lock()
        self._access: _Access | None = None
        self._keys = (connection.password, connection.extra.get("refresh_token", ""))
        self._seen: dict[str, None] = {}

    def flow(self, request: Request) -> Flow:
        access = self._access
        if access is None or self._now() >= access.expires_at:
            access = yield from self._refresh(access)
        reply = yield _authorized(request, access.token)
        if self._is_expired(reply):
            access = yield from self._refresh(access)
            yield _authorized(request, access.token)

    def secrets(self) -> tuple[str, ...]:
        return (*self._connection.secrets, *self._seen)

    def _refresh(self, stale: _Access | None) -> Generator[Request, Reply, _Access]:
        with self._lock:
            if self._access is not None and self._access is not stale:
                return self._access
            with self._tokens.alone(self._name):
                token = self._refresh_token()
                reply = yield self._token_request(token)
                if reply.status in (400, 401) and (newer := self._refresh_token()) != token:
                    token = newer  # another machine has rotated it meanwhile
                    reply = yield self._token_request(token)
                self._access = self._accept(reply, token)
            return self._access

    def _refresh_token(self) -> str:
        saved = unseal(self._tokens.load(self._name), self._keys)
        token = saved or self._connection.extra.get("refresh_token", "")
        if not token:
            raise Refused(
                f"{self._title}: connection {self._name!r} has no refresh_token",
                f"add refresh_token to the extra of connection {self._name!r}",
            )
        self._seen[token] = None
        return token

    def _token_request(self, refresh_token: str) -> Request:
        form = {
            "grant_type": "refresh_token",
            "client_id": self._connection.login,
            "client_secret": self._connection.password,
            "refresh_token": refresh_token,
        }
        if self._scope:
            form["scope"] = self._scope
        return Request("POST", self._token_url, form=form, rows=None, budget="")

    def _accept(self, reply: Reply, used: str) -> _Access:
        said = reply.json()
        if reply.status != 200:
            raise self._refusal(reply, said if isinstance(said, dict) else {})
        if not isinstance(said, dict) or not isinstance(said.get("access_token"), str):
            raise Transient(f"{self._title}: the token endpoint's answer holds no access_token")
        self._seen[said["access_token"]] = None
        rotated = said.get("refresh_token")
        if isinstance(rotated, str) and rotated and rotated != used:
            self._seen[rotated] = None
            self._tokens.save(self._name, seal(rotated, self._keys))
        lifetime = float(said.get("expires_in") or 3600)
        return _Access(said["access_token"], self._now() + lifetime - min(MARGIN, lifetime / 2))

    def _refusal(self, reply: Reply, said: dict[str, Any]) -> IngestError:
        code = said.get("error") or said.get("status") or said.get("code") or ""
        words = said.get("error_description") or said.get("message") or ""
        facts = f"HTTP {reply.status}, {code}: {words!r}" if code else f"HTTP {reply.status}"
        if reply.status == 429:
            wait = retry_after(reply.headers)
            return Throttled(
                f"{self._title}: too many token requests ({facts})", 60.0 if wait is None else wait
            )
        if reply.status >= 500 or reply.status == 408:
            return Transient(f"{self._title}: the token endpoint has trouble ({facts})")
        if code in ("invalid_client", "unauthorized_client"):
            return Refused(
                f"{self._title}: the vendor does not know the app ({facts})",
                f"correct login (client id) and password (client secret) of "
                f"connection {self._name!r}",
            )
        return Refused(
            f"{self._title}: access was revoked or has expired, or its refresh token was used "
            f"elsewhere ({facts})",
            f"authorise Boscard again at {self._title} and put the new refresh_token into "
            f"connection {self._name!r}",
        )


def _authorized(request: Request, token: str) -> Request:
    return request.with_headers({"Authorization": f"Bearer {token}"})
