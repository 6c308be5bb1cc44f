"""How an account is reached: host and secrets of one Airflow connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection. `login` and `password` are client id and secret, or `password` is a token.

    Its repr shows no secret, so it may stand in a log or a traceback.
    """

    host: str
    login: str = ""
    password: str = field(default="", repr=False)
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that must not be written anywhere."""
        named = ("token", "secret", "key", "password")
        found = [self.password]
        found += [
            value
            for key, value in self.extra.items()
            if any(word in key.lower() for word in named) and not value.startswith("http")
        ]
        return tuple(value for value in found if value)
