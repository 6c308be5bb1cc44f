"""Messages on their way to people: a file each, and through Apprise where addresses are set.

The file is written exactly once for a key. Apprise is tried until it succeeds or the message is
dead: at least once, though the sender is killed in between; the key is in the message.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from expectations.messages import Message
from expectations.verdict import replace_private

ATTEMPTS = 5

Send = Callable[[Message], bool]


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far a message got: waiting to be sent, sent, or given up after five attempts."""

    state: Literal["waiting", "sent", "dead"]
    attempts: int = 0


class Outbox:
    """The folder of messages. Without `addresses` (Apprise URLs) the file is the message's end."""

    def __init__(
        self, folder: Path, addresses: Sequence[str] = (), send: Send | None = None
    ) -> None:
        self.folder = folder
        self._send = send or (_apprise(addresses) if addresses else None)

    def post(self, message: Message) -> bool:
        """Write the message's file. False, and nothing is written, where its key was posted."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(message.key)
        with self._alone():
            if path.exists():
                return False
            replace_private(path, f"{message.subject}\n\n{message.body}".encode())
        return True

    def deliver(self) -> list[str]:
        """Send what was posted and is not yet sent; the keys that were sent now."""
        if self._send is None or not self.folder.is_dir():
            return []
        with self._alone():
            return [
                path.stem
                for path in sorted(self.folder.glob("*.txt"))
                if self._try(path, self._send)
            ]

    def delivery(self, key: str) -> Delivery:
        try:
            content = self._path(key).with_suffix(".json").read_bytes()
        except FileNotFoundError:
            return Delivery("waiting")
        return msgspec.json.decode(content, type=Delivery)

    def _try(self, path: Path, send: Send) -> bool:
        before = self.delivery(path.stem)
        if before.state != "waiting":
            return False
        subject, _, body = path.read_text(encoding="utf-8").partition("\n\n")
        is_sent = send(Message(path.stem, subject, f"{body}\nmessage: {path.stem}"))
        attempts = before.attempts + 1
        state: Literal["waiting", "sent", "dead"] = "waiting"
        if is_sent:
            state = "sent"
        elif attempts >= ATTEMPTS:
            state = "dead"
        after = msgspec.json.encode(Delivery(state, attempts))
        replace_private(path.with_suffix(".json"), after)
        return is_sent

    def _path(self, key: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", key):
            raise ValueError(f"{key!r} cannot be the key of a message")
        return self.folder / f"{key}.txt"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _apprise(addresses: Sequence[str]) -> Send:
    def send(message: Message) -> bool:
        from apprise import Apprise, NotifyFormat

        targets = Apprise()
        if not all(targets.add(address) for address in addresses):
            return False
        return bool(
            targets.notify(title=message.subject, body=message.body, body_format=NotifyFormat.TEXT)
        )

    return send
