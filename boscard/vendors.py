"""Who answers tonight: real vendors by their connections, or the sandbox while it is enabled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from rich.console import Console

from boscard.settings import Settings


@contextmanager
def reachable_vendors(
    settings: Settings, as_of_date: date, environ: Mapping[str, str], log: Path, console: Console
) -> Iterator[dict[str, str]]:
    """Environment variables with the connections to use; a sandbox runs as long as it is needed.

    A connection that the environment defines already is left as it is.
    """
    wanted = {account.connection: account.source for account in settings.accounts}
    missing = {name for name in wanted if f"AIRFLOW_CONN_{name.upper()}" not in environ}
    if not settings.sandbox.enabled or not missing:
        yield {}
        return
    from sandbox.process import started

    with started(as_of_date, log=log) as base_url:
        console.print(
            f"sandbox: {settings.company.name} (it does not exist), at {base_url}", markup=False
        )
        yield sandbox_connections(base_url, {name: wanted[name] for name in missing})


def sandbox_connections(base_url: str, wanted: Mapping[str, str]) -> dict[str, str]:
    """AIRFLOW_CONN_… for each wanted connection (name → source), pointing at a sandbox."""
    from sandbox.connections import connections

    offered = connections(base_url)
    return {
        f"AIRFLOW_CONN_{name.upper()}": json.dumps(offered[source])
        for name, source in wanted.items()
    }
