"""Postgres filled from the current publication's file, where the server was lost with the rest."""

from __future__ import annotations

from contextlib import suppress

import duckdb
import pyarrow as pa

from boscard.home import Home
from boscard.settings import Settings
from publish.connection import writer_url
from publish.contract import published_views
from publish.files import read_duckdb
from publish.history import HISTORY, PUBLICATIONS
from publish.parts import Slice
from publish.places import Places
from publish.postgres import transaction
from publish.schema import prepare


def refill(home: Home, settings: Settings, *, postgres_url: str | None = None) -> int:
    """Put the current publication and all history into a Postgres that has none.

    Returns the rows written: 0 where the server remembers publications, for what it has is as good
    or newer. A view that the file's version did not have stays empty until the next night.
    """
    file = Places(home.publications).current_duckdb.resolve()
    views = (*published_views(home.dbt_target / "manifest.json"), *HISTORY)
    tables: dict[str, pa.Table] = {}
    for view in views:
        with suppress(duckdb.CatalogException, duckdb.BinderException):
            tables |= read_duckdb(file, [view])
    with writer_url(home, settings, postgres_url) as url:
        prepare(url, views)
        with transaction(url) as database:
            if database.fetch(PUBLICATIONS).num_rows:
                return 0
            present = [view for view in views if view.name in tables]
            changes = [database.replace(view, Slice(None, tables[view.name])) for view in present]
    return sum(change.total for change in changes)
