"""OAuth tokens of the sandbox: signed, so that a restarted sandbox accepts what an earlier one
issued.

They protect nothing: the company is fictitious and the signing key is public.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

KEY = b"northwind-trails-does-not-exist"
DEFAULT_GRANT = "sandbox"

Denial = Literal["invalid_client", "invalid_grant", "unsupported_grant_type"]
Standing = Literal["valid", "expired", "revoked", "unknown"]


@dataclass(frozen=True, slots=True)
class Issuer:
    """How one vendor issues tokens.

    `seconds` is the vendor's own lifetime of an access token; `is_rotating` says that each refresh
    gives a new refresh token and ends the one before.
    """

    vendor: str
    client_id: str
    client_secret: str
    access_prefix: str
    refresh_prefix: str
    private_prefix: str | None
    seconds: int
    is_rotating: bool = False


ISSUERS: dict[str, Issuer] = {
    issuer.vendor: issuer
    for issuer in (
        Issuer(
            vendor="google_ads",
            client_id="418555-northwind.apps.googleusercontent.example",
            client_secret="sandbox-google-secret",  # noqa: S106
            access_prefix="ya29.",
            refresh_prefix="1//",
            private_prefix=None,
            seconds=3599,
        ),
        Issuer(
            vendor="hubspot",
            client_id="5f1c7a52-0000-4000-8000-northwind0001",
            client_secret="sandbox-hubspot-secret",  # noqa: S106
            access_prefix="C",
            refresh_prefix="na1-",
            private_prefix="pat-na1-",
            seconds=1800,
        ),
        Issuer(
            vendor="typeform",
            client_id="NorthwindTypeformClient",
            client_secret="sandbox-typeform-secret",  # noqa: S106
            access_prefix="tfo_",
            refresh_prefix="tfr_",
            private_prefix="tfp_",
            seconds=604_800,
            is_rotating=True,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Granted:
    access_token: str
    refresh_token: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class TokenStanding:
    """How a bearer token stands; `seconds_ago` says how long it has been expired."""

    standing: Standing
    seconds_ago: int = 0
    is_private: bool = False


class Tokens:
    """The tokens of one vendor. Access tokens age by `monotonic` and end with the process that
    issued them.
    """

    def __init__(
        self,
        issuer: Issuer,
        seconds: int | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuer = issuer
        self.seconds = seconds or issuer.seconds
        self.is_revoked = False
        self._monotonic = monotonic
        self._start = uuid.uuid4().hex[:8]
        self._newest: dict[str, int] = {}
        self._valid_from = 0
        self._issued = 0
        self._lock = threading.Lock()

    def refresh(self, form: Mapping[str, str]) -> Granted | Denial:
        """Answer a refresh request by the form's client, secret and refresh token."""
        if (form.get("client_id"), form.get("client_secret")) != (
            self.issuer.client_id,
            self.issuer.client_secret,
        ):
            return "invalid_client"
        if form.get("grant_type") != "refresh_token":
            return "unsupported_grant_type"
        payload = _opened(
            form.get("refresh_token", ""), self.issuer.refresh_prefix, self._kind("refresh")
        )
        if payload is None or self.is_revoked:
            return "invalid_grant"
        grant, serial = payload[0], int(payload[1])
        with self._lock:
            if self.issuer.is_rotating:
                if serial < self._newest.get(grant, 0):
                    return "invalid_grant"
                serial += 1
                self._newest[grant] = serial
            self._issued += 1
            issued = self._issued
        access = _signed(
            self.issuer.access_prefix,
            self._kind("access"),
            (grant, self._start, str(issued), f"{self._monotonic():.3f}"),
        )
        return Granted(access, refresh_token(self.issuer.vendor, grant, serial), self.seconds)

    def standing(self, token: str) -> TokenStanding:
        """How a bearer token stands now."""
        private = self.issuer.private_prefix
        if private and _opened(token, private, self._kind("private")) is not None:
            return TokenStanding("revoked" if self.is_revoked else "valid", is_private=True)
        payload = _opened(token, self.issuer.access_prefix, self._kind("access"))
        if payload is None:
            return TokenStanding("unknown")
        if self.is_revoked:
            return TokenStanding("revoked")
        _, start, issued, at = payload
        if start != self._start:
            return TokenStanding("expired", 60)
        age = self._monotonic() - float(at)
        if age >= self.seconds:
            return TokenStanding("expired", int(age - self.seconds))
        return (
            TokenStanding("valid")
            if int(issued) > self._valid_from
            else TokenStanding("expired", 1)
        )

    def expire_all(self) -> None:
        """Every access token issued so far is expired from now on."""
        with self._lock:
            self._valid_from = self._issued

    def _kind(self, kind: str) -> str:
        return f"{self.issuer.vendor}/{kind}"


def refresh_token(vendor: str, grant: str = DEFAULT_GRANT, serial: int = 0) -> str:
    """The refresh token of a consent (`grant`); serial 0 is the one a person is given first."""
    return _signed(ISSUERS[vendor].refresh_prefix, f"{vendor}/refresh", (grant, str(serial)))


def private_token(vendor: str, grant: str = DEFAULT_GRANT) -> str:
    """A token that never expires: HubSpot's private app, Typeform's personal token.

    Raises ValueError for a vendor without such tokens.
    """
    prefix = ISSUERS[vendor].private_prefix
    if prefix is None:
        raise ValueError(f"{vendor} has no tokens without expiry")
    return _signed(prefix, f"{vendor}/private", (grant,))


def _signed(prefix: str, kind: str, payload: tuple[str, ...]) -> str:
    content = "\n".join(payload).encode()
    signature = hmac.new(KEY, kind.encode() + b"\n" + content, hashlib.sha256).digest()[:12]
    return prefix + base64.urlsafe_b64encode(signature + content).decode().rstrip("=")


def _opened(token: str, prefix: str, kind: str) -> list[str] | None:
    if not token.startswith(prefix):
        return None
    text = token.removeprefix(prefix)
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        content = raw[12:].decode()
    except ValueError:
        return None
    signature = hmac.new(KEY, kind.encode() + b"\n" + raw[12:], hashlib.sha256).digest()[:12]
    return content.split("\n") if hmac.compare_digest(signature, raw[:12]) else None
