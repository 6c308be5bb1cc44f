"""Connections: Airflow's own, from AIRFLOW_CONN_<NAME> or a secrets backend, in tasks and out."""

from __future__ import annotations

from typing import Any

from boscard.settings import SettingsError
from ingest.connections import Connection


def read_connection(name: str) -> Connection:
    """The connection called `name`, its secrets kept out of its repr.

    Raises SettingsError naming the environment variable that would define it.
    """
    found = _find(name)
    return Connection(
        host=found.host or "",
        login=found.login or "",
        password=found.password or "",
        extra={str(key): str(value) for key, value in found.extra_dejson.items()},
    )


def read_postgres_url(name: str) -> str:
    """The URL of a Postgres connection, its extras as Postgres' own options.

    Raises SettingsError as `read_connection` does.
    """
    url: str = _find(name).get_uri()
    server, mark, options = url.replace("postgres://", "postgresql://", 1).partition("?")
    return server + mark + options.replace("+", "%20")  # libpq takes a plus sign for itself


def _find(name: str) -> Any:
    from airflow.sdk import Connection as AirflowConnection  # imported late: it takes a second
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return AirflowConnection.get(name)
    except AirflowNotFoundException:
        raise SettingsError(
            f"no Airflow connection {name!r}: set AIRFLOW_CONN_{name.upper()} or add it to the "
            "secrets backend (docs/accounts.md says what it holds)"
        ) from None
