"""Airflow as an operator's script sees it: over its REST API, with a token."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import requests

from boscard.airflow_home import passwords_file
from boscard.home import Home

T = TypeVar("T")
OVER = {"success", "failed"}


@dataclass(frozen=True, slots=True)
class Airflow:
    """One user's access. Runs and task instances are as the API answers them."""

    origin: str
    token: str

    @classmethod
    def login(cls, home: Home, port: int) -> Airflow:
        origin = f"http://127.0.0.1:{port}"
        [(user, password)] = json.loads(passwords_file(home).read_text()).items()
        answer = requests.post(
            f"{origin}/auth/token", json={"username": user, "password": password}, timeout=60
        )
        answer.raise_for_status()
        return cls(origin, answer.json()["access_token"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        return self._get(f"dags/{dag_id}/dagRuns")["dag_runs"]

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        return self._get(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]

    def trigger(self, dag_id: str, conf: Mapping[str, Any]) -> str:
        """Start a run as the Trigger button does; returns its id."""
        answer = requests.post(
            f"{self.origin}/api/v2/dags/{dag_id}/dagRuns",
            json={"logical_date": None, "conf": dict(conf)},
            headers=self._headers,
            timeout=60,
        )
        assert answer.ok, answer.text
        return answer.json()["dag_run_id"]

    def backfill(self, dag_id: str, first: str, last: str) -> requests.Response:
        body = {"dag_id": dag_id, "from_date": first, "to_date": last}
        return requests.post(
            f"{self.origin}/api/v2/backfills", json=body, headers=self._headers, timeout=60
        )

    def ended(self, dag_id: str, run_id: str) -> dict[str, Any] | None:
        """A run that is over, or None."""
        run = self._get(f"dags/{dag_id}/dagRuns/{run_id}")
        return run if run["state"] in OVER else None

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _get(self, path: str) -> Any:
        url = f"{self.origin}/api/v2/{path}"
        answer = requests.get(url, headers=self._headers, params={"limit": 100}, timeout=60)
        answer.raise_for_status()
        return answer.json()


def waited(what: str, ask: Callable[[], T | None], seconds: float = 900) -> T:
    """The first answer that is neither None nor empty; asked each half second, up to a deadline."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")
