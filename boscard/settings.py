"""The one settings file (`boscard.toml`), validated when read.

It holds no secret, only the names of connections.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from boscard.home import PROJECT


class SettingsError(Exception):
    """The settings file cannot be used; names file, key, what was wrong and what would be right."""


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not an IANA time zone; write one such as 'Europe/Berlin'")
    return name


def _not_reports(account: str) -> str:
    if account.lower() == "reports":
        raise ValueError("an account cannot be named 'reports': that folder is taken")
    return account


def _written_as_day(value: object) -> object:
    """Pydantic would take a number, as a text too, for the seconds since 1970."""
    if isinstance(value, int | float) or (isinstance(value, str) and "-" not in value):
        raise PydanticCustomError("date_type", "not a date")
    return value


TimeZone = Annotated[str, AfterValidator(_time_zone)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
LandingUrl = Annotated[
    str, StringConstraints(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_=.-]+)*$")
]
# `reports` is where a source's nightly reports lie, beside the folders of its accounts.
AccountId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*$"),
    AfterValidator(_not_reports),
]
Day = Annotated[date, BeforeValidator(_written_as_day)]
_CONNECTION = "write a connection's name of small letters, digits and _, such as 'google_ads'"
_SECTION = "write its settings below a line [{}]"
# What would be right, by the last part of a key.
RIGHT = {
    "company": _SECTION.format("company"),
    "sandbox": _SECTION.format("sandbox"),
    "publication": _SECTION.format("publication"),
    "messages": _SECTION.format("messages"),
    "upkeep": _SECTION.format("upkeep"),
    "landing": _SECTION.format("landing"),
    "url": "write a bucket and a prefix such as 's3://a-bucket/boscard', without a key",
    "accounts": "list at least one account, each below a line [[accounts]]",
    "name": "write a name in quotes, such as 'Northwind Trails'",
    "reporting_currency": "write an ISO code such as 'EUR'",
    "currency": "write an ISO code such as 'EUR'",
    "time_zone": "write an IANA time zone such as 'Europe/Berlin'",
    "history_start": "write a date such as 2025-10-01",
    "publication_hour": "write a whole hour from 0 to 23, such as 7",
    "enabled": "write true or false",
    "seed": "write a whole number such as 7",
    "scale": "write a number above 0 and not above 10, such as 0.5",
    "keep": "write a whole number from 1, such as 30",
    "keep_bytes": "write a whole number of days from 30, such as 90",
    "keep_logs": "write a whole number of days from 7, such as 30",
    "quality_nights": "write a whole number of nights from 1, such as 400",
    "source": "write a source's name such as 'google_ads'",
    "account": "write the vendor's id in quotes: letters, digits, '_', '-' and '.', no '.' first",
    "connection": _CONNECTION,
    "postgres_connection": _CONNECTION,
}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Company(Strict):
    name: str = Field(min_length=1)
    reporting_currency: Currency
    time_zone: TimeZone
    history_start: Day
    publication_hour: int = Field(ge=0, le=23)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Account(Strict):
    """One account of one source, in its own time zone (CRM and survey: the portal's)."""

    source: Identifier
    account: AccountId
    name: str = Field(min_length=1)
    connection: Identifier
    time_zone: TimeZone
    currency: Currency | None = None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Sandbox(Strict):
    """The fictitious company; while enabled, all connections point at it."""

    enabled: bool = False
    seed: int = 7
    scale: float = Field(default=1.0, gt=0, le=10)


class Publication(Strict):
    """Where the scorecard is served. Without a connection it is the embedded Postgres."""

    postgres_connection: Identifier | None = None
    keep: int = Field(default=30, ge=1)
    quality_nights: int = Field(default=400, ge=1)


class Upkeep(Strict):
    """How long what nothing rests on any more is kept, in days."""

    keep_bytes: int = Field(default=90, ge=30)
    keep_logs: int = Field(default=30, ge=7)


class LandingPlace(Strict):
    """Where vendors' bytes lie. Without a URL it is `var/landing`; one installation a prefix.

    Without a connection it is reached by what the machine itself has: a role, AWS' own variables.
    """

    url: LandingUrl | None = None
    connection: Identifier | None = None


class Messages(Strict):
    """Where people are told. Without a connection messages go to files in `var/outbox`."""

    connection: Identifier | None = None


class Settings(Strict):
    company: Company
    accounts: tuple[Account, ...] = Field(min_length=1)
    sandbox: Sandbox = Sandbox()
    publication: Publication = Publication()
    messages: Messages = Messages()
    landing: LandingPlace = LandingPlace()
    upkeep: Upkeep = Upkeep()

    @model_validator(mode="after")
    def _accounts_are_unique(self) -> Settings:
        seen: set[tuple[str, str]] = set()
        for account in self.accounts:
            key = (account.source, account.account)
            if key in seen:
                raise ValueError(
                    f"{account.source} account {account.account!r} is listed twice; list it once"
                )
            seen.add(key)
        return self

    @model_validator(mode="after")
    def _connections_reach_one_source(self) -> Settings:
        reached: dict[str, str] = {}
        for account in self.accounts:
            other = reached.setdefault(account.connection, account.source)
            if other != account.source:
                raise ValueError(
                    f"connection {account.connection!r} is named for {other} and for "
                    f"{account.source}; write a connection of its own for each source"
                )
        return self

    @model_validator(mode="after")
    def _landing_is_reached_by_its_own_connection(self) -> Settings:
        place = self.landing
        if place.connection is None:
            return self
        if place.url is None:
            raise ValueError(
                "landing.connection is named without landing.url; write both, or neither"
            )
        if any(account.connection == place.connection for account in self.accounts):
            raise ValueError(
                f"connection {place.connection!r} is named for landing and for an account; write a"
                " connection of its own for each"
            )
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(account.source for account in self.accounts))

    def accounts_of(self, source: str) -> tuple[Account, ...]:
        return tuple(account for account in self.accounts if account.source == source)


def settings_path() -> Path:
    return Path(os.environ.get("BOSCARD_SETTINGS") or PROJECT / "boscard.toml").absolute()


def read_settings(path: Path | None = None) -> Settings:
    """Read and validate the settings file.

    Raises SettingsError naming the file, each wrong key, what was wrong and what would be right.
    """
    path = path or settings_path()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"{path}: no settings file there; copy boscard.toml from the repository"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None
    try:
        settings = Settings.model_validate(content)
    except ValidationError as error:
        lines = [f"{path}: {_complaint(detail)}" for detail in error.errors()]
        raise SettingsError("\n".join(lines)) from None
    wrong = [f"{path}: {words}" for words in _refused_by_sources(settings)]
    if wrong:
        raise SettingsError("\n".join(wrong))
    return settings


def _refused_by_sources(settings: Settings) -> Iterator[str]:
    from ingest.registry import SOURCES

    for number, account in enumerate(settings.accounts):
        source = SOURCES.get(account.source)
        if source is None:
            yield (
                f"accounts.{number}.source: {account.source!r} is not a source; "
                f"write one of {', '.join(sorted(SOURCES))}"
            )
        elif not re.fullmatch(source.account_pattern, account.account):
            yield (
                f"accounts.{number}.account: {account.account!r} is not an account of "
                f"{source.title}; write {source.account_words}"
            )


def _complaint(detail: Any) -> str:
    location = detail["loc"]
    key = ".".join(str(part) for part in location) or "(whole file)"
    names = [part for part in location if isinstance(part, str)]
    right = RIGHT.get(names[-1], "") if names else ""
    if detail["type"] == "missing":
        return f"{key} is missing; {right} (see docs/settings.md)"
    if detail["type"] == "extra_forbidden":
        return f"{key} is not a setting; remove it or correct its spelling (see docs/settings.md)"
    if detail["type"] == "value_error":
        return f"{key}: {detail['msg'].removeprefix('Value error, ')}"
    if isinstance(detail["input"], dict | list):
        return f"{key} is not right; {right}"
    return f"{key}: {detail['input']!r} is not right; {right}"
