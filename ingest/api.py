"""How a vendor's API behaves, as data: its errors, its limits, its way of authentication."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingest.auth import is_unauthorized
from ingest.budget import Limit
from ingest.connections import Connection
from ingest.error_table import Explain, Problem, Rule
from ingest.exchange import Reply

if TYPE_CHECKING:
    from ingest.pull import Pull


def _no_headers(connection: Connection) -> Mapping[str, str]:
    return {}


def _no_explanation(reply: Reply) -> Problem:
    return Problem()


def _no_complaints(pull: Pull) -> Iterator[str]:
    yield from ()


@dataclass(frozen=True, slots=True)
class Api:
    """`rules` are tried in order, then the general ones.

    `explain` reads the vendor's error bodies. `limits` are by the budget that a request names.
    `token_url` may stand below the host. `is_expired` tells a reply after which the access token
    is refreshed. `check` makes the cheapest calls that prove an account works, yielding what is
    wrong with it.
    """

    rules: tuple[Rule, ...] = ()
    explain: Explain = _no_explanation
    limits: Mapping[str, Limit] = field(default_factory=dict)
    token_url: str = ""
    scope: str = ""
    headers: Callable[[Connection], Mapping[str, str]] = _no_headers
    is_expired: Callable[[Reply], bool] = is_unauthorized
    check: Callable[[Pull], Iterator[str]] = _no_complaints
