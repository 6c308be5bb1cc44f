"""The call budget of one token: so many calls in so many seconds, whichever thread makes them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in any `seconds`."""

    calls: int
    seconds: float


class Budget:
    """Named limits; a name without a limit costs nothing."""

    def __init__(
        self,
        limits: Mapping[str, Limit],
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limits = dict(limits)
        self._made = {name: deque[float](maxlen=limit.calls) for name, limit in limits.items()}
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()

    def take(self, name: str) -> None:
        """Wait until one more call is within the limit; each caller reserves its own moment."""
        limit = self._limits.get(name)
        if limit is None:
            return
        with self._lock:
            now, made = self._now(), self._made[name]
            moment = now if len(made) < limit.calls else max(now, made[0] + limit.seconds)
            made.append(moment)
        if moment > now:
            self._sleep(moment - now)
