"""Which Postgres serves: the embedded one by default, or a server of one's own by its URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from boscard.home import Home
from boscard.settings import Settings
from publish.embedded import Embedded, running
from publish.login import READER, WRITER, Login


class ConnectionMissingError(Exception):
    """The settings name a Postgres connection, and its URL was not handed over."""


@contextmanager
def writer_url(home: Home, settings: Settings, postgres_url: str | None) -> Iterator[str]:
    """The writer's URL, for as long as the block lasts; the embedded server is started if need be."""
    if postgres_url is not None:
        yield postgres_url
        return
    _require_embedded(settings)
    with running(home) as server:
        yield server.login(WRITER).url


def reader_url(home: Home, settings: Settings, postgres_url: str | None = None) -> str:
    """What a BI tool connects with: `postgresql://kpi_reader:…@host:port/database`.

    For a server of one's own the reader's password is not known here and left out. The embedded
    server need not run, but must have been started once.
    """
    if postgres_url is None:
        _require_embedded(settings)
        return Embedded(home.postgres).login(READER).url
    return replace(_parsed(postgres_url), user=READER, password=None).url


def _parsed(url: str) -> Login:
    parts = urlsplit(url)
    database = unquote(parts.path.lstrip("/")) or "postgres"
    user, password = unquote(parts.username or ""), parts.password
    return Login(
        parts.hostname or "localhost",
        parts.port or 5432,
        database,
        user,
        None if password is None else unquote(password),
    )


def _require_embedded(settings: Settings) -> None:
    name = settings.publication.postgres_connection
    if name is not None:
        raise ConnectionMissingError(
            f"publication.postgres_connection names {name!r}; hand over its URL, "
            f"or remove the setting to use the embedded Postgres"
        )
