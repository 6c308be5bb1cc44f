"""What Airflow does after a failure, by the error's name: wait as told, try again soon, or stop."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryAction, RetryDecision, RetryPolicy

if TYPE_CHECKING:
    from airflow.sdk import Context

SHORT = timedelta(minutes=2)  # also after an end of which no policy is asked: a killed process
RETRIES = int(os.environ.get("BOSCARD_RETRIES", "4"))


def longest_wait() -> timedelta:
    """A night without a scheduler waits in place, so it caps every wait (BOSCARD_RETRY_SECONDS)."""
    return timedelta(seconds=float(os.environ.get("BOSCARD_RETRY_SECONDS", "86400")))


class ByRecovery(RetryPolicy):
    """Throttled waits as the vendor says, Refused fails at once, all else is tried again."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        from boscard.settings import SettingsError
        from ingest.errors import Refused, Throttled
        from warehouse.errors import NightRefused

        if isinstance(exception, Refused | SettingsError | NightRefused):
            return RetryDecision(action=RetryAction.FAIL, reason="needs a person: not tried again")
        wait = timedelta(seconds=exception.wait) if isinstance(exception, Throttled) else SHORT
        delay = min(wait, longest_wait())
        reason = f"{type(exception).__name__}: tried again after {delay}"
        return RetryDecision(action=RetryAction.RETRY, retry_delay=delay, reason=reason)

    def serialize(self) -> dict[str, Any]:
        return {"__type": "ByRecovery"}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> ByRecovery:
        return cls()
