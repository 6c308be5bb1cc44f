"""The command line. Each command imports what it needs, so that `boscard --help` is quick."""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import click
from rich.console import Console

import boscard
from boscard.clock import Clock
from boscard.home import Home
from boscard.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from boscard.night import Night


class Commands(click.Group):
    """Errors that have a next step are told in plain words, without a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        from ingest.errors import IngestError

        try:
            return super().invoke(ctx)
        except (SettingsError, IngestError) as error:
            raise click.ClickException(str(error)) from error


class Day(click.ParamType[date]):
    """A date as YYYY-MM-DD."""

    name = "date"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a date; write YYYY-MM-DD", param, ctx)


date_option = click.option(
    "--date",
    "as_of_date",
    type=Day(),
    help="The night's last day of data. Default: yesterday in the business time zone.",
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(boscard.__version__, prog_name="boscard")
def main() -> None:
    """Boscard turns what ad, CRM and survey vendors know into a balanced scorecard to trust.

    Settings are read from boscard.toml (BOSCARD_SETTINGS names another file); everything a run
    writes lies under var/ (BOSCARD_HOME moves it).
    """


@main.command()
@date_option
def nightly(as_of_date: date | None) -> None:
    """Run one night: pull, gate, load, transform, audit, publish.

    Runs Airflow's own DAGs without a scheduler and stops what it started. Exits 0 when all of it
    was published, 3 when it was published without a source, 1 when it was not published.
    """
    from boscard.nightly import NightlyError, run_night
    from boscard.summary import print_summary

    night = _night(as_of_date)
    console = Console(highlight=False)
    console.print(f"[bold]night of {night.clock.as_of_date}[/] (home: {night.home.root})")
    started = datetime.now(UTC)
    try:
        outcomes = run_night(night, console)
    except NightlyError as error:
        raise click.ClickException(str(error)) from error
    sys.exit(print_summary(night, outcomes, datetime.now(UTC) - started, console))


@main.command()
@date_option
def check(as_of_date: date | None) -> None:
    """Try each configured account and say in a line each what is wrong."""
    from boscard.connections import read_connection
    from boscard.vendors import reachable_vendors
    from ingest.check import check_account
    from ingest.tokens import FileTokens

    night = _night(as_of_date)
    console = Console(highlight=False, stderr=True)
    log = night.home.logs / "sandbox.log"
    settings = night.settings
    day = night.clock.as_of_date
    failed = False
    with reachable_vendors(settings, day, os.environ, log, console) as connections:
        os.environ.update(connections)
        for account in settings.accounts:
            found = check_account(
                account,
                settings=settings,
                clock=night.clock,
                connection=read_connection(account.connection),
                tokens=FileTokens(night.home.tokens),
            )
            failed = failed or not found.is_ok
            click.echo(str(found))
    sys.exit(1 if failed else 0)


@main.command()
def url() -> None:
    """Print the connection string of the reader's role, for a BI tool."""
    from publish.url import reader_url

    settings = read_settings()
    click.echo(reader_url(Home.default(), settings))


@main.command()
@click.option("--port", default=8080, show_default=True, help="Port of Airflow's UI.")
def up(port: int) -> None:
    """Start Airflow (UI, scheduler) and Postgres for BI, on loopback."""
    from boscard.services import start_services

    start_services(Home.default(), read_settings(), port, Console(highlight=False))


@main.command()
def down() -> None:
    """Stop what `boscard up` started."""
    from boscard.services import stop_services

    stop_services(Home.default(), Console(highlight=False))


def _night(as_of_date: date | None) -> Night:
    from boscard.night import Night

    settings = read_settings()
    return Night(settings, Home.default(), _clock(settings, as_of_date))


def _clock(settings: Settings, as_of_date: date | None) -> Clock:
    company = settings.company
    today = datetime.now(company.zone).date()
    day = as_of_date or today - timedelta(days=1)
    clock = Clock(day, company.zone, company.publication_hour)
    if day < company.history_start:
        raise SettingsError(
            f"--date {day} lies before company.history_start ({company.history_start})"
        )
    if not settings.sandbox.enabled and clock.now > datetime.now(UTC):
        raise SettingsError(
            f"the night of {day} is published at {clock.now:%Y-%m-%d %H:%M} UTC, which has not "
            "come: vendors still count that day. Wait, or give an earlier --date"
        )
    return clock


if __name__ == "__main__":
    main()
