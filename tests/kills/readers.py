"""Readers that poll all three places while a night is killed and run again."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from publish.contract import View
from tests.kills.left import Shown, in_duckdb, in_parquet, in_postgres

PLACES = ("Postgres", "DuckDB", "Parquet")
SECONDS_TO_ANSWER = 60
A_WHOLE_POLL = 2  # the first to end in a stretch of time may have begun before it


@dataclass
class Seen:
    """What the readers got: publications in order by place, and what went wrong."""

    publications: dict[str, list[str]] = field(default_factory=lambda: {one: [] for one in PLACES})
    wrong: list[str] = field(default_factory=list)
    polls: Counter[str] = field(default_factory=Counter)

    def note(self, place: str, shown: Shown) -> None:
        seen = self.publications[place]
        if not shown.is_whole:
            self.wrong.append(f"{place}: a mixture that calls itself {shown.record.publication_id}")
        if not seen or seen[-1] != shown.record.publication_id:
            seen.append(shown.record.publication_id)
        self.polls[place] += 1

    def wait(self) -> None:
        """Until every place has been read, begun and ended, after this call."""
        before, deadline = self.polls.copy(), time.monotonic() + SECONDS_TO_ANSWER
        while unread := self._unread(before):
            assert self.wrong == []
            assert time.monotonic() < deadline, f"no answer from {unread}"
            time.sleep(0.01)

    @contextmanager
    def meanwhile(self) -> Iterator[None]:
        """Some place must be read while the block lasts."""
        before = self.polls.total()
        yield
        assert self.polls.total() > before

    def _unread(self, before: Counter[str]) -> list[str]:
        return [one for one in self.publications if self.polls[one] < before[one] + A_WHOLE_POLL]


@contextmanager
def polling(home: Path, url: str, views: Sequence[View], pause: float = 0) -> Iterator[Seen]:
    """Read all places again and again while the block lasts, once before it and once after;
    `pause`: seconds in between."""
    seen = Seen()
    readers: dict[str, Callable[[], Shown]] = {
        "Postgres": lambda: in_postgres(url, views),
        "DuckDB": lambda: in_duckdb(home, views),
        "Parquet": lambda: in_parquet(home, views),
    }

    def poll() -> None:
        for place, read in readers.items():
            try:
                seen.note(place, read())
            except Exception as error:  # noqa: BLE001 - whatever a reader meets is the finding
                seen.wrong.append(f"{place}: {type(error).__name__}: {error}")

    is_over = threading.Event()

    def poll_on() -> None:
        while not is_over.wait(pause):
            poll()

    poll()
    thread = threading.Thread(target=poll_on)
    thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        thread.join()
        poll()
