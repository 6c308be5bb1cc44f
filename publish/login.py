"""Who connects to which Postgres, as a value and as the URL that every driver reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

DATABASE = "boscard"
WRITER = "boscard_writer"
READER = "kpi_reader"


@dataclass(frozen=True, slots=True)
class Login:
    """One role at one server. `password` is None where only the person connecting knows it."""

    host: str
    port: int
    database: str
    user: str
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> Login:
        """The login that a URL spells; what it leaves out is Postgres' own default."""
        parts = urlsplit(url)
        return cls(
            parts.hostname or "localhost",
            parts.port or 5432,
            unquote(parts.path.lstrip("/")) or "postgres",
            unquote(parts.username or ""),
            None if parts.password is None else unquote(parts.password),
        )

    @property
    def url(self) -> str:
        """`postgresql://user:password@host:port/database`, percent-encoded."""
        secret = "" if self.password is None else ":" + quote(self.password, safe="")
        host = f"[{self.host}]" if ":" in self.host else self.host
        user, database = quote(self.user, safe=""), quote(self.database, safe="")
        return f"postgresql://{user}{secret}@{host}:{self.port}/{database}"
