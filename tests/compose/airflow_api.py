"""Airflow's REST API as one of its users calls it, with a token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from tests.compose.deployment import until


@dataclass(frozen=True)
class Airflow:
    """One user at one Airflow."""

    base_url: str
    user: str
    password: str

    def call(self, method: str, path: str, **content: Any) -> requests.Response:
        """Any call below /api/v2, whatever it answers."""
        return requests.request(
            method,
            f"{self.base_url}/api/v2/{path}",
            headers={"Authorization": f"Bearer {self._token()}"},
            json=content or None,
            timeout=60,
        )

    def trigger(self, dag_id: str, end: datetime) -> str:
        """Start a run by hand for the day that ends at `end`; returns its id."""
        night = {
            "logical_date": datetime.now(UTC).isoformat(),
            "data_interval_start": (end - timedelta(days=1)).isoformat(),
            "data_interval_end": end.isoformat(),
        }
        answer = self.call("POST", f"dags/{dag_id}/dagRuns", **night)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["dag_run_id"])

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        found = self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=100")
        tasks: list[dict[str, Any]] = found.json()["task_instances"]
        return tasks

    def wait(self, dag_id: str, run_id: str, seconds: float) -> None:
        """Until the run has succeeded; fails as soon as it has failed, naming its tasks."""

        def has_ended() -> bool:
            state = self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}").json()["state"]
            if state == "failed":
                states = {one["task_id"]: one["state"] for one in self.tasks(dag_id, run_id)}
                raise AssertionError(f"{dag_id} {run_id} failed: {states}")
            return bool(state == "success")

        until(seconds, f"{dag_id} {run_id} has succeeded", has_ended, pause=5)

    def token(self) -> requests.Response:
        given = {"username": self.user, "password": self.password}
        return requests.post(f"{self.base_url}/auth/token", json=given, timeout=60)

    def _token(self) -> str:
        answer = self.token()
        assert answer.status_code == 201, answer.text
        return str(answer.json()["access_token"])
