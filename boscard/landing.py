"""Where this installation's landing lies: a folder of its home, or what `landing.url` names."""

from __future__ import annotations

from functools import lru_cache

from boscard.home import Home
from boscard.settings import Settings, SettingsError
from ingest.landing import Landing
from ingest.store import Folder


def open_landing(home: Home, settings: Settings) -> Landing:
    """The landing of an installation.

    Raises SettingsError where batches lie in a home whose settings name another place: they would
    be numbered anew there, and taken for loaded. And where a home of the fictitious company is to
    become a real one's: its people would count in real numbers.
    """
    if home.fictitious.exists() and not settings.sandbox.enabled:
        raise SettingsError(
            f"sandbox.enabled is false, and {home.root} holds the fictitious company: give your own"
            " accounts a home of their own (BOSCARD_HOME; with containers `docker compose down"
            f" --volumes`), or remove {home.fictitious} if no night ever asked the sandbox"
        )
    url = settings.landing.url
    if url is None:
        return Landing(home.landing)
    if home.landing.exists():
        raise SettingsError(
            f"landing.url names {url}, and {home.landing} is there: copy what is in it to {url} and"
            " move the folder away, or remove landing.url (docs/run-in-production.md)"
        )
    return Landing(_stored(home, url, settings.landing.connection))


def note_sandbox(home: Home, settings: Settings) -> None:
    """Before vendors are asked: note that what this home lands may be the sandbox's."""
    if settings.sandbox.enabled:
        home.create()
        home.fictitious.touch(0o600)


def try_landing(home: Home, settings: Settings) -> None:
    """Write and read a little where landing lies, if that is not the home's own disk.

    Raises SettingsError, Refused or Transient: what is wrong there, and what to do.
    """
    if settings.landing.url is not None:
        open_landing(home, settings).root.try_out()


@lru_cache
def _stored(home: Home, url: str, connection: str | None) -> Folder:
    """Once a process: to find a connection takes a second, and each landing is opened often."""
    from boscard.connections import read_connection
    from ingest.s3 import Bucket
    from ingest.s3_folder import S3Folder, Storage

    found = read_connection(connection) if connection else None
    return S3Folder(Storage(Bucket(url, found), home.scratch))
