"""What a vendor is asked and what it replies: plain values, so that a vendor needs no web
framework.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

if TYPE_CHECKING:
    from sandbox.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `path` is below the vendor's prefix, header names are in lower case.

    `base_url` is the address the client used for this vendor, for links in replies.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base_url: str = ""

    @property
    def bearer(self) -> str | None:
        """The bearer token of the Authorization header, or None."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if kind.lower() == "bearer" and token.strip() else None

    def form(self) -> dict[str, str]:
        """The form-encoded body; unreadable bytes give an empty form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace")))

    def json_object(self) -> dict[str, Any] | None:
        """The body as a JSON object (empty when there is no body), None when it is not one."""
        if not self.body.strip():
            return {}
        try:
            content = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return content if isinstance(content, dict) else None


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, before faults of the wire."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: int, content: Any, headers: Mapping[str, str] | None = None) -> Reply:
        """A compact JSON reply."""
        return cls(status, msgspec.json.encode(content), headers or {})


@dataclass(frozen=True, slots=True)
class World:
    """What there is to know in one night: the vendors' snapshot, its instant, the night."""

    snapshot: Snapshot
    now: datetime
    as_of_date: date
