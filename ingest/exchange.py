"""Requests, replies and pages: the values that client, paginators and authentication share."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import msgspec

from ingest.errors import Refused


@dataclass(frozen=True, slots=True)
class Request:
    """One call to make.

    `path` stands below the connection's host, or is a whole URL. `rows` is the envelope's key that
    holds the rows; None means that the whole body is one row. `empty_mark` is the envelope's key by
    which an answer without that key is known to mean no rows. `budget` names the vendor's limit
    that the call counts against, `context` what the rows do not repeat.
    """

    method: Literal["GET", "POST"]
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    rows: str | None = "results"
    empty_mark: str | None = None
    budget: str = "calls"
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> bytes:
        """Equal for requests that would fetch the same thing."""
        return msgspec.json.encode(
            [self.method, self.path, dict(self.params), self.body], order="sorted"
        )

    def with_params(self, **params: str) -> Request:
        return replace(self, params={**self.params, **params})

    def with_body(self, **fields: Any) -> Request:
        return replace(self, body={**(self.body or {}), **fields})

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        return replace(self, headers={**self.headers, **headers})


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: header names in lower case, the whole body decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str = ""

    def json(self) -> Any:
        """The decoded body, or None where it is not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None


@dataclass(frozen=True)
class Page:
    """The rows of one call as the vendor's bytes, the decoded rest of its body, and facts.

    `told`: how many rows the vendor says there are, on the first page of what it counts, and 0 on
    the others; None where it does not say.
    """

    rows: Sequence[bytes | msgspec.Raw] = field(repr=False)
    envelope: Mapping[str, Any] = field(default_factory=dict)
    method: str = "GET"
    url: str = ""
    status: int = 200
    bytes: int = 0
    sha256: str = ""
    attempts: int = 1
    milliseconds: int = 0
    context: Mapping[str, str] = field(default_factory=dict)
    told: int | None = None

    def find(self, path: str) -> Any:
        """The envelope's value at a dotted path, or None."""
        found: Any = self.envelope
        for part in path.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return found

    def row(self, index: int) -> Any:
        """One row decoded: for a cursor, never for all rows of a report."""
        return msgspec.json.decode(self.rows[index])

    def text(self, index: int, key: str) -> str:
        """The text by which a row is known, for a cursor. Raises Refused where it has none."""
        row = self.row(index)
        found = row.get(key) if isinstance(row, dict) else None
        if not isinstance(found, str) or not found:
            raise Refused(
                f"the answer of {self.url} has another shape (a row has no {key!r})",
                "see whether the vendor changed its API version",
            )
        return found

    def without_rows(self) -> Page:
        """The same call, of whose rows none are landed."""
        return replace(self, rows=())

    @cached_property
    def lines(self) -> builtins.bytes:
        """The rows as they are landed: one a line."""
        return b"\n".join([*self.rows, b""]) if self.rows else b""

    def fingerprint(self) -> int:
        """Equal for pages that hold the same rows; it says nothing to another process.

        Of a large page some hundred rows are looked at, and how long all are together.
        """
        looked_at = [*self.rows[:: 1 + len(self.rows) // 200], *self.rows[-1:]]
        return hash((len(self.rows), len(self.lines), *map(bytes, looked_at)))
