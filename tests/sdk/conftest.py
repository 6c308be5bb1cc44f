"""The vendors' own SDKs against the sandbox. `make test-sdk` runs these in an environment of their
own; the sandbox is a child process in the project's."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Offered:
    """What the child process serves."""

    base_url: str
    connections: dict[str, dict[str, Any]]
    hubspot_private: str
    accounts: list[str]
    queries: dict[str, dict[str, str]]

    @property
    def manager(self) -> str:
        return self.connections["google_ads"]["extra"]["login_customer_id"]

    def access_token(self, vendor: str) -> str:
        connection = self.connections[vendor]
        form = {
            "grant_type": "refresh_token",
            "client_id": connection["login"],
            "client_secret": connection["password"],
            "refresh_token": connection["extra"]["refresh_token"],
        }
        reply = requests.post(connection["extra"]["token_url"], data=form, timeout=30)
        return reply.json()["access_token"]

    @contextmanager
    def fault(self, vendor: str, fault: str, **more: Any) -> Iterator[None]:
        """While the context lasts, the vendor has this fault."""
        faults = f"{self.base_url}/_sandbox/faults"
        asked = {"vendor": vendor, "fault": fault, "times": None, **more}
        assert requests.post(faults, json=asked, timeout=30).status_code == 201
        try:
            yield
        finally:
            requests.delete(faults, timeout=30)


@pytest.fixture(scope="session")
def offered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offered]:
    command = [str(PROJECT / ".venv/bin/python"), "-m", "tests.sdk.serve"]
    log = tmp_path_factory.mktemp("sandbox") / "log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command,
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as child,
    ):
        line = child.stdout.readline() if child.stdout else ""
        assert line, f"the sandbox did not start: {log.read_text()}"
        yield Offered(**json.loads(line))
        child.kill()
