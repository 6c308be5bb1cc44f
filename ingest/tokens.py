"""Where rotated refresh tokens are kept between nights: sealed with a key that lies elsewhere."""

from __future__ import annotations

import base64
import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from boscard.atomic import write_whole


class TokenStore(Protocol):
    """Keeps one sealed text a connection. What it stores is useless without the connection."""

    def load(self, name: str) -> str | None: ...

    def save(self, name: str, value: str) -> None: ...

    def alone(self, name: str) -> AbstractContextManager[None]:
        """While inside, no other process of this machine is: load, refresh, save."""
        ...


class FileTokens:
    """One file a connection, mode 0600, replaced atomically."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def load(self, name: str) -> str | None:
        try:
            return self._path(name).read_text(encoding="ascii")
        except FileNotFoundError:
            return None

    def save(self, name: str, value: str) -> None:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self._path(name), value.encode("ascii"))

    def alone(self, name: str) -> AbstractContextManager[None]:
        return one_at_a_time(self._root, name)

    def _path(self, name: str) -> Path:
        return self._root / f"{name}.token"


class NoTokens:
    """Keeps nothing: for a look at an account that must leave no trace, and for vendors whose
    refresh tokens never change."""

    def load(self, name: str) -> str | None:
        return None

    def save(self, name: str, value: str) -> None:
        return None

    def alone(self, name: str) -> AbstractContextManager[None]:
        return nullcontext()


@contextmanager
def one_at_a_time(folder: Path, name: str) -> Iterator[None]:
    """Wait for, and hold, the lock of one connection; it ends with the process at the latest."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def seal(token: str, keys: tuple[str, ...]) -> str:
    """Encrypt a token with a key derived from `keys`: the connection's client secret and the
    refresh token that a person put into it.

    So no key lies beside the file, and a token saved before somebody authorised the account anew
    (which changes the connection) no longer opens and is not used.
    """
    return _cipher(keys).encrypt(token.encode()).decode("ascii")


def unseal(sealed: str | None, keys: tuple[str, ...]) -> str | None:
    """The token, or None where there is none or it was sealed under other secrets."""
    if sealed is None:
        return None
    try:
        return _cipher(keys).decrypt(sealed.encode("ascii")).decode()
    except (InvalidToken, UnicodeEncodeError):
        return None


def _cipher(keys: tuple[str, ...]) -> Fernet:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"boscard refresh token")
    return Fernet(base64.urlsafe_b64encode(derive.derive("\0".join(keys).encode())))
