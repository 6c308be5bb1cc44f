"""`boscard check`: a line for each configured account, whatever the others say."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import click
from rich.console import Console

from boscard import airflow_home
from boscard.landing import try_landing
from boscard.night import Night
from boscard.settings import Account, SettingsError
from boscard.vendors import reachable_vendors
from ingest.errors import IngestError


def check_accounts(night: Night) -> bool:
    """Try each account and print its line; True when all are well.

    Refresh tokens that rotate meanwhile go where the nights look for them: Airflow's Variables.
    """
    night.home.create()
    environ = airflow_home.environment(night.home)
    os.environ.update(environ)
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
    logging.getLogger("ingest").setLevel(logging.ERROR)
    console = Console(highlight=False, stderr=True)
    settings, day = night.settings, night.clock.as_of_date
    with console.status("preparing Airflow's database"):
        airflow_home.migrate(night.home, settings, environ)
    log = night.home.logs / "sandbox.log"
    with reachable_vendors(settings, day, os.environ, log, console) as connections:
        os.environ.update(connections)
        wrong = [*_wrong_with_landing(night)]
        return sum(not _check(night, account) for account in settings.accounts) + len(wrong) == 0


def _wrong_with_landing(night: Night) -> Iterator[str]:
    """A line on object storage, where landing lies there."""
    if night.settings.landing.url is None:
        return
    try:
        try_landing(night.home, night.settings)
    except (SettingsError, IngestError) as error:
        click.echo(f"landing: WRONG: {error}")
        yield str(error)
    else:
        click.echo(f"landing: ok: {night.settings.landing.url} can be written and read")


def _check(night: Night, account: Account) -> bool:
    from boscard.connections import read_connection
    from boscard.tokens import DatabaseTokens
    from ingest.check import Check, check_account

    try:
        connection = read_connection(account.connection)
    except SettingsError as error:
        found = Check(account, is_ok=False, words=str(error))
    else:
        found = check_account(
            account,
            settings=night.settings,
            clock=night.clock,
            connection=connection,
            tokens=DatabaseTokens(),
        )
    click.echo(str(found))
    return found.is_ok
