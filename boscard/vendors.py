"""Who answers tonight: the real vendors by their connections, or the sandbox while it is enabled."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from boscard.night import Night


@contextmanager
def reachable_vendors(
    night: Night, environ: Mapping[str, str], logs: Path, console: Console
) -> Iterator[dict[str, str]]:
    """Environment variables with the connections to use; a sandbox runs as long as it is needed.

    A connection that the environment defines already is left as it is.
    """
    wanted = {account.connection: account.source for account in night.settings.accounts}
    missing = {name for name in wanted if f"AIRFLOW_CONN_{name.upper()}" not in environ}
    if not night.settings.sandbox.enabled or not missing:
        yield {}
        return
    with console.status("starting the sandbox: a company that does not exist"):
        child, base_url = start_sandbox(night, logs / "sandbox.log")
    try:
        console.print(f"sandbox: {night.settings.company.name}, at {base_url}")
        yield sandbox_connections(base_url, {name: wanted[name] for name in missing})
    finally:
        child.terminate()
        child.wait()


def sandbox_connections(base_url: str, wanted: Mapping[str, str]) -> dict[str, str]:
    """AIRFLOW_CONN_… for each wanted connection (name → source), pointing at a sandbox."""
    from sandbox.connections import connections

    offered = connections(base_url)
    return {
        f"AIRFLOW_CONN_{name.upper()}": json.dumps(offered[source])
        for name, source in wanted.items()
    }


def start_sandbox(
    night: Night, log: Path, faults: tuple[str, ...] = ()
) -> tuple[subprocess.Popen[bytes], str]:
    """A sandbox in a process of its own, on a free port of 127.0.0.1; returns it and its address.

    Raises RuntimeError with the end of its log where it does not start.
    """
    settings = night.settings
    log.parent.mkdir(parents=True, exist_ok=True)
    arguments = [
        "serve",
        *("--date", str(night.clock.as_of_date)),
        *("--seed", str(settings.sandbox.seed)),
        *("--scale", str(settings.sandbox.scale)),
        *("--start", str(settings.company.history_start)),
        *("--port", "0"),
    ]
    with log.open("wb") as file:
        child = subprocess.Popen(
            [sys.executable, "-m", "sandbox", *arguments, *faults],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=file,
        )
    assert child.stdout is not None
    line = child.stdout.readline().decode()
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    if found is None:
        child.terminate()
        child.wait()
        raise RuntimeError(f"the sandbox did not start: {line.strip()} (see {log})")
    return child, found.group()
