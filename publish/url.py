"""The connection string that a BI tool is given."""

from __future__ import annotations

from boscard.home import Home
from boscard.settings import Settings
from publish.connection import require_embedded
from publish.embedded import Embedded
from publish.login import READER, Login


def reader_url(home: Home, settings: Settings, postgres_url: str | None = None) -> str:
    """What a BI tool connects with: `postgresql://kpi_reader:…@host:port/database`.

    For a server of one's own the reader's password is not known here and left out. The embedded
    server need not run, but must have been started once.
    """
    if postgres_url is None:
        require_embedded(settings)
        return Embedded(home.postgres).login(READER).url
    return Login.parse(postgres_url).for_another(READER).url
