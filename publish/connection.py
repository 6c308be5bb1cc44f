"""Which Postgres serves: the embedded one by default, or a server of one's own by its URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from boscard.home import Home
from boscard.settings import Settings
from publish.embedded import running
from publish.login import WRITER


class ConnectionMissingError(Exception):
    """The settings name a Postgres connection, and its URL was not handed over."""


@contextmanager
def writer_url(home: Home, settings: Settings, postgres_url: str | None) -> Iterator[str]:
    """The writer's URL while the block lasts; the embedded server is started if need be."""
    if postgres_url is not None:
        yield postgres_url
        return
    require_embedded(settings)
    with running(home) as server:
        yield server.login(WRITER).url


def require_embedded(settings: Settings) -> None:
    name = settings.publication.postgres_connection
    if name is not None:
        raise ConnectionMissingError(
            f"publication.postgres_connection names {name!r}; hand over its URL, "
            f"or remove the setting to use the embedded Postgres"
        )
