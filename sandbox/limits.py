"""The vendors' limits: page sizes that may be made smaller for tests, and rate limits counted as
the vendor counts.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Every default is the vendor's own. None switches a rate limit off.

    With these a first night at scale 1, some 480 HubSpot calls, takes about 50 s in the ten-second
    bucket while the other vendors answer; a night's dozen Typeform calls take 7 s. Google publishes
    no figure for its short-term bucket: it is a rolling count per customer here.
    `google_ads_page_rows` and `token_seconds` exist for tests: a small company has several pages,
    a token expires soon.
    """

    google_ads_page_rows: int = 10_000
    google_ads_operations_a_day: int | None = 15_000
    google_ads_queries_per_second: int | None = 20
    hubspot_oauth_per_ten_seconds: int | None = 110
    hubspot_private_per_ten_seconds: int | None = 190
    hubspot_private_a_day: int | None = 625_000
    hubspot_search_per_second: int | None = 5
    typeform_per_second: int | None = 2
    token_seconds: int | None = None

    @classmethod
    def none(cls) -> Limits:
        """No rate limits at all; page sizes stay the vendors' own."""
        return cls(
            google_ads_operations_a_day=None,
            google_ads_queries_per_second=None,
            hubspot_oauth_per_ten_seconds=None,
            hubspot_private_per_ten_seconds=None,
            hubspot_private_a_day=None,
            hubspot_search_per_second=None,
            typeform_per_second=None,
        )


class Rolling:
    """At most `limit` calls in any `seconds`; a refused call does not count."""

    def __init__(
        self, limit: int | None, seconds: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.limit = limit
        self.seconds = seconds
        self._monotonic = monotonic
        self._taken: deque[float] = deque()
        self._lock = threading.Lock()

    def take(self) -> float:
        """Take a place: 0 when there is one, else the seconds until there will be."""
        if self.limit is None:
            return 0.0
        with self._lock:
            now = self._monotonic()
            while self._taken and now - self._taken[0] >= self.seconds:
                self._taken.popleft()
            if len(self._taken) >= self.limit:
                return self._taken[0] + self.seconds - now if self._taken else self.seconds
            self._taken.append(now)
            return 0.0

    @property
    def remaining(self) -> int:
        """Places left in the present window; 0 when there is no limit to speak of."""
        return max(0, self.limit - len(self._taken)) if self.limit is not None else 0


class Daily:
    """At most `limit` calls a day, where the day is the sandbox's, not the machine's."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self._day: object = None
        self._taken = 0
        self._lock = threading.Lock()

    def take(self, day: object) -> bool:
        """Take a place on `day`; False when the day is used up."""
        if self.limit is None:
            return True
        with self._lock:
            if day != self._day:
                self._day, self._taken = day, 0
            if self._taken >= self.limit:
                return False
            self._taken += 1
            return True

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self._taken) if self.limit is not None else 0
