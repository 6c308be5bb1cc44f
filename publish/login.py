"""Who connects to which Postgres, as a value and as the URL that every driver reads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

DATABASE = "boscard"
WRITER = "boscard_writer"
READER = "kpi_reader"


@dataclass(frozen=True, slots=True)
class Login:
    """One role at one server. `password` is None where only the person connecting knows it.

    `options` are Postgres' own, as a URL spells them: `sslmode=verify-full&sslrootcert=…`.
    """

    host: str
    port: int
    database: str
    user: str
    password: str | None = field(default=None, repr=False)
    options: str = field(default="", repr=False)

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
            parts.query,
        )

    @property
    def url(self) -> str:
        """`postgresql://user:password@host:port/database?options`, percent-encoded."""
        secret = "" if self.password is None else ":" + quote(self.password, safe="")
        host = f"[{self.host}]" if ":" in self.host else self.host
        user, database = quote(self.user, safe=""), quote(self.database, safe="")
        options = f"?{self.options}" if self.options else ""
        return f"postgresql://{user}{secret}@{host}:{self.port}/{database}{options}"

    def for_another(self, user: str) -> Login:
        """The login of a person at the same server: how to know it again goes along, no secret."""
        shared = [pair for pair in parse_qsl(self.options) if pair[0] in ("sslmode", "sslrootcert")]
        return replace(
            self, user=user, password=None, options=urlencode(shared, safe="/", quote_via=quote)
        )
