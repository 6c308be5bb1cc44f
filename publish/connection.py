"""Which Postgres serves: the embedded one by default, or a server of one's own by its URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from boscard.home import Home
from boscard.settings import Settings
from publish.embedded import running
from publish.login import WRITER, Login


class ConnectionMissingError(Exception):
    """The settings name a Postgres connection, and its URL was not handed over."""


class ServerRefusedError(Exception):
    """Postgres lets nobody in as the connection says; the message says what stands in the way."""


@contextmanager
def writer_url(home: Home, settings: Settings, postgres_url: str | None) -> Iterator[str]:
    """The writer's URL while the block lasts; the embedded server is started if need be."""
    if postgres_url is not None:
        yield postgres_url
        return
    require_embedded(settings)
    with running(home) as server:
        yield server.login(WRITER).url


def enter(url: str) -> psycopg.Connection:
    """A session in which each statement is a transaction. Raises ServerRefusedError."""
    try:
        return psycopg.connect(url, autocommit=True)
    except psycopg.OperationalError as error:
        login = Login.parse(url)
        why = str(error).strip().rstrip(".")
        step = (
            "compare sslmode and sslrootcert of the connection with the server's certificate"
            " (docs/run-in-production.md, TLS)"
            if "SSL" in why or "certificate" in why
            else "look at the server, and at host, port, user and password of the connection"
        )
        raise ServerRefusedError(
            f"Postgres at {login.host}:{login.port} does not let {login.user} in: {why}. "
            f"Next step: {step}"
        ) from None


def require_embedded(settings: Settings) -> None:
    name = settings.publication.postgres_connection
    if name is not None:
        raise ConnectionMissingError(
            f"publication.postgres_connection names {name!r}; hand over its URL, "
            f"or remove the setting to use the embedded Postgres"
        )
