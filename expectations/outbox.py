"""Messages on their way to people: a file each, and through Apprise where addresses are set.

The file is written exactly once for a key. Apprise is tried until it succeeds or the message is
dead: at least once, though the sender is killed in between; the key is in the message.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from boscard.atomic import locked, write_whole
from expectations.messages import Message

if TYPE_CHECKING:
    from apprise import Apprise

ATTEMPTS = 5
LOG = logging.getLogger(__name__)

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
        self._addresses = tuple(addresses)
        self._send = send or (_apprise(addresses) if addresses else None)

    def post(self, message: Message) -> bool:
        """Write the message's file. False, and nothing is written, where its key was posted."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(message.key)
        with locked(self.folder):
            if path.exists():
                return False
            write_whole(path, f"{message.subject}\n\n{message.body}".encode())
        return True

    def deliver(self) -> list[str]:
        """Send what was posted and is not yet sent; the keys that were sent now."""
        if self._send is None or not self.folder.is_dir():
            return []
        with locked(self.folder):
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

    def complaints(self) -> list[str]:
        """Why people may not have been told, a line each: wrong addresses, messages given up."""
        wrong = _targets(self._addresses)[1] if self._addresses else []
        lines = [_wrong_addresses(wrong, self._addresses)] if wrong else []
        keys = [path.stem for path in sorted(self.folder.glob("*.txt"))]
        dead = [key for key in keys if self.delivery(key).state == "dead"]
        if dead:
            lines.append(
                f"{len(dead)} {'messages' if len(dead) > 1 else 'message'} could not be sent: "
                f"{', '.join(dead)}. Next step: read {'them' if len(dead) > 1 else 'it'} in "
                f"{self.folder}; remove the .json beside it and it is sent again"
            )
        return lines

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
        write_whole(path.with_suffix(".json"), after)
        return is_sent

    def _path(self, key: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", key):
            raise ValueError(f"{key!r} cannot be the key of a message")
        return self.folder / f"{key}.txt"


def _apprise(addresses: Sequence[str]) -> Send:
    def send(message: Message) -> bool:
        from apprise import NotifyFormat

        targets, wrong = _targets(addresses)
        if wrong:
            LOG.warning("%s", _wrong_addresses(wrong, addresses))
        return bool(
            targets.notify(title=message.subject, body=message.body, body_format=NotifyFormat.TEXT)
        )

    return send


def _targets(addresses: Sequence[str]) -> tuple[Apprise, list[str]]:
    """The addresses that Apprise can use; of each other one its number and scheme, no secret."""
    from apprise import Apprise

    targets = Apprise()
    wrong = []
    log = logging.getLogger("apprise")
    before, log.disabled = log.disabled, True  # it writes out an address that it cannot read
    try:
        for number, address in enumerate(addresses, 1):
            if not targets.add(address):
                scheme = re.match(r"[A-Za-z0-9]{1,20}://", address)
                wrong.append(f"number {number} ({scheme[0]}…)" if scheme else f"number {number}")
    finally:
        log.disabled = before
    return targets, wrong


def _wrong_addresses(wrong: Sequence[str], addresses: Sequence[str]) -> str:
    return (
        f"{len(wrong)} of {len(addresses)} addresses of messages cannot be used: "
        f"{', '.join(wrong)}. Next step: write each as Apprise reads it, in the password of "
        "messages.connection"
    )
