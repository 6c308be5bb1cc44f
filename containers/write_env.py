"""`make env`: the secrets of docker-compose.yml, made once, in files only their owner can read.

What the files hold already is kept; what they lack is added. Needs nothing but Python.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from sandbox.connections import connections

SANDBOX_URL = "http://sandbox:8085"


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


# Passwords stand in URLs, so that they are of letters, digits, `-` and `_`.
SECRETS: dict[str, Callable[[], str]] = {
    "POSTGRES_PASSWORD": lambda: secrets.token_urlsafe(24),
    "AIRFLOW_DB_PASSWORD": lambda: secrets.token_urlsafe(24),
    "KPI_WRITER_PASSWORD": lambda: secrets.token_urlsafe(24),
    "KPI_READER_PASSWORD": lambda: secrets.token_urlsafe(24),
    "REDIS_PASSWORD": lambda: secrets.token_urlsafe(24),
    "AIRFLOW_ADMIN_PASSWORD": lambda: secrets.token_urlsafe(18),
    "FERNET_KEY": _fernet_key,
    "JWT_SECRET": lambda: secrets.token_urlsafe(48),
    "API_SECRET_KEY": lambda: secrets.token_urlsafe(48),
}


def _hash_key() -> str:
    return json.dumps({"conn_type": "generic", "password": secrets.token_urlsafe(48)})


def _connections() -> dict[str, Callable[[], str]]:
    """The sandbox's, to begin with: replaced by a person's own, they do not come back."""
    return {
        f"AIRFLOW_CONN_{source.upper()}": partial(json.dumps, connection)
        for source, connection in connections(SANDBOX_URL).items()
    }


def complete(path: Path, wanted: Mapping[str, Callable[[], str]], quote: str = "") -> list[str]:
    """Add the variables that the file does not name; returns their names."""
    known = path.read_text(encoding="utf-8") if path.exists() else ""
    names = {line.partition("=")[0].strip() for line in known.splitlines()}
    added = {name: make() for name, make in wanted.items() if name not in names}
    if added:
        lines = "".join(f"{name}={quote}{value}{quote}\n" for name, value in added.items())
        gap = "\n" if known and not known.endswith("\n") else ""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(gap + lines)
    return list(added)


def main() -> None:
    """The one argument is the folder of both files."""
    own, tasks = Path(sys.argv[1]) / ".env", Path(sys.argv[1]) / "connections.env"
    wanted = {"AIRFLOW_CONN_BOSCARD_HASH_KEY": _hash_key}
    if not tasks.exists():
        wanted |= _connections()
    for path, added in (
        (own, complete(own, SECRETS)),
        (tasks, complete(tasks, wanted, quote="'")),
    ):
        print(f"{path}: {', '.join(added) or 'complete'}")  # noqa: T201


if __name__ == "__main__":
    main()
