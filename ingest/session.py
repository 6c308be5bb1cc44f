"""What the calls of one connection share: a session, patience, and whether the vendor answers."""

from __future__ import annotations

from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import requests

HIDDEN_PARAMETERS = ("token", "access_token", "refresh_token", "client_secret", "api_key", "key")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one request is worth: attempts, the first pause (it doubles), and the seconds.

    A wait that would go beyond `longest_wait` is the scheduler's, not the worker's.
    """

    attempts: int = 5
    first_pause: float = 0.5
    longest_wait: float = 120.0
    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    body_seconds: float = 600.0


PATIENCE = Patience()


def new_session() -> requests.Session:
    """A session that keeps no cookies and takes no credentials from ~/.netrc."""
    session = requests.Session()
    session.auth = lambda prepared: prepared
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


class Health:
    """Whether the vendor answered the last request; while it does not, each is tried only once.

    So a vendor that is down costs a night its patience once, not once a unit.
    """

    def __init__(self) -> None:
        self.is_up = True


def safe_url(url: str) -> str:
    """The URL without user information and without parameters that carry secrets."""
    parts = urlsplit(url)
    query = [
        (name, "***" if name.lower() in HIDDEN_PARAMETERS else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, urlencode(query, safe=":,*"), ""))
