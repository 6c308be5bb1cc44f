"""The command line. Each command imports what it needs, so that `boscard --help` is quick."""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

import click
from rich.console import Console
from rich.markup import escape

import boscard
from boscard.clock import Clock
from boscard.days import Day
from boscard.disk import CannotWrite, complain
from boscard.home import Home
from boscard.keeping import backup, restore
from boscard.settings import Settings, SettingsError, read_settings
from boscard.trouble import incidents, quarantine

if TYPE_CHECKING:
    from boscard.night import Night


class Commands(click.Group):
    """Errors that have a next step are told in plain words, without a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if _is_told_plainly(error):
                raise click.ClickException(str(error)) from error
            try:
                complain(Home.default().root, str(ctx.invoked_subcommand), str(error), error)
            except CannotWrite as told:
                raise click.ClickException(str(told)) from error
            raise


def _is_told_plainly(error: Exception) -> bool:
    """Our own errors say what was wrong, where, and what to do: a traceback adds nothing."""
    ours = ("boscard.", "ingest.", "expectations.", "warehouse.", "publish.", "sandbox.")
    return type(error).__module__.startswith(ours)


date_option = click.option(
    "--date",
    "as_of_date",
    type=Day(),
    help="The night's last day of data. Default: yesterday in the business time zone.",
)

accept_movements_option = click.option(
    "--accept-movements",
    is_flag=True,
    help="Publish though settled numbers moved: you have looked at them and they are right.",
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(boscard.__version__, prog_name="boscard")
def main() -> None:
    """Boscard turns what ad, CRM and survey vendors know into a balanced scorecard to trust.

    Settings are read from boscard.toml (BOSCARD_SETTINGS names another file); everything a run
    writes lies under var/ (BOSCARD_HOME moves it).
    """
    # Airflow makes its home where it is imported, in ~/airflow unless it is told otherwise.
    os.environ.setdefault("AIRFLOW_HOME", str(Home.default().airflow))


@main.command()
@date_option
@accept_movements_option
def nightly(as_of_date: date | None, accept_movements: bool) -> None:
    """Run one night: pull, gate, load, transform, audit, publish.

    Runs Airflow's own DAGs without a scheduler and stops what it started. Exits 0 when all of it
    was published, 3 when it was published without a source, 1 when it was not published.
    """
    _run(_night(as_of_date), accept_movements)


@main.command()
@click.option("--from", "first", type=Day(), required=True, help="The first day to ask for anew.")
@click.option("--to", "last", type=Day(), required=True, help="The last day to ask for anew.")
@date_option
@accept_movements_option
def backfill(first: date, last: date, as_of_date: date | None, accept_movements: bool) -> None:
    """Ask the vendors for past days anew in the newest night, and publish it.

    Entities (contacts, deals, campaigns) come as they are now: vendors keep no past state of them.
    """
    from boscard.backfill import asking, sentences

    night = asking(_night(as_of_date), first, last)
    for sentence in sentences(night):
        click.echo(sentence)
    _run(night, accept_movements)


@main.command()
@click.option(
    "--date",
    "night",
    type=Day(),
    help="Rebuild this earlier night in a folder of its own. Default: the newest night, in place.",
)
def replay(night: date | None) -> None:
    """Rebuild warehouse and marts from landing alone; no vendor is called.

    Exits 1 when the same definitions and batches give other rows than were published.
    """
    from boscard.replay import print_replay
    from boscard.replay import replay as replay_night

    console = Console(highlight=False)
    done = replay_night(Home.default(), read_settings(), night, console)
    sys.exit(print_replay(done, console))


@main.command()
@date_option
def check(as_of_date: date | None) -> None:
    """Try each configured account and say in a line each what is wrong."""
    from boscard.checking import check_accounts

    sys.exit(0 if check_accounts(_night(as_of_date)) else 1)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="The same for a machine.")
def status(as_json: bool) -> None:
    """Show how tonight stands: what has landed, is late, held or set aside, and is published.

    Exits 0 when the newest night is published whole or still has time, 3 when it is published
    without something, 1 when it is overdue: two hours after its hour and not published.
    """
    from boscard.status import status as status_now
    from boscard.status_table import print_status, to_json

    found = status_now(Home.default(), read_settings(), datetime.now(UTC))
    if as_json:
        click.echo(to_json(found))
    else:
        print_status(found, Console(highlight=False))
    sys.exit(found.exit_status)


@main.command()
def upkeep() -> None:
    """Remove what nothing rests on any more, and compare what is published with its marts.

    `upkeep` in boscard.toml says how long each is kept: old logs, replaced bytes, files of old
    publications. Every night can still be replayed. Published rows that are wrong are put right.
    """
    from boscard.upkeep import everything

    for line in everything(Home.default(), read_settings(), datetime.now(UTC)):
        click.echo(line)


@main.command()
@click.option("--email", required=True, help="The person's address, as vendors know it.")
@click.option("--by", help="Who asks for it, as the batches note it. Default: who is logged in.")
@click.option("--dry-run", is_flag=True, help="Say what would be erased; change nothing.")
def forget(email: str, by: str | None, dry_run: bool) -> None:
    """Erase a person from landing and warehouse, and search all else that a night wrote.

    No published number changes: dates, counts and scores stay, and nothing says whose they were.
    Exits 1 when the address still stands somewhere.
    """
    from getpass import getuser

    from boscard.forget import forget as forget_person
    from boscard.forget import sentences

    night = _night(None)
    done = forget_person(
        night.home,
        night.settings,
        email,
        by=by or getuser(),
        postgres_url=None if dry_run else night.postgres_url(),
        is_dry=dry_run,
    )
    for sentence in sentences(done, night.settings, is_dry=dry_run):
        click.echo(sentence)
    sys.exit(1 if done.still else 0)


@main.command()
def url() -> None:
    """Print the connection string of the reader's role, for a BI tool."""
    from publish.url import reader_url

    night = _night(None)
    click.echo(reader_url(night.home, night.settings, night.postgres_url()))


@main.command()
@click.argument("view")
@click.option("--limit", default=20, show_default=True, help="Rows to print.")
def read(view: str, limit: int) -> None:
    """Print the first rows of a published VIEW as CSV (boscard.read gives all of it to pandas)."""
    from publish.read import read as read_view

    click.echo(read_view(view).head(limit).to_csv(index=False), nl=False)


@main.command()
@click.argument("kpi", required=False)
@click.argument("period", required=False)
@click.option("--segment", default="company", show_default=True, help="A channel, or a campaign.")
@click.option("--forward", metavar="CALL", help="Follow this API call to the KPIs it feeds.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
def explain(
    kpi: str | None, period: str | None, segment: str, forward: str | None, as_json: bool
) -> None:
    """Walk the value of KPI in PERIOD back to its days, raw rows, batches and API calls.

    PERIOD is a day (2026-11-04), an ISO week (2026-W45), a month (2026-11) or a quarter (2026-Q4).
    """
    from publish.explain import explain as explain_value
    from publish.feeds import feeds
    from publish.period import parse_period
    from publish.trees import explained, fed, to_json

    settings, home = read_settings(), Home.default()
    if forward:
        found = feeds(home, settings, forward)
        shown = to_json(found) if as_json else fed(found)
    elif kpi and period:
        walked = explain_value(home, settings, kpi, parse_period(period), segment)
        shown = to_json(walked) if as_json else explained(walked)
    else:
        raise click.UsageError("name a KPI and a period, or an API call with --forward")
    if isinstance(shown, str):
        click.echo(shown)
    else:
        Console(highlight=False).print(shown)


@main.command()
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="A CSV with the columns of dbt_project/seeds/kpi_targets.csv: all rows, or the new ones.",
)
def targets(path: Path) -> None:
    """Show which KPIs would change colour with the targets in a CSV file; nothing is changed."""
    from boscard.targets import dry_run, sentences

    for sentence in sentences(dry_run(path), read_settings().company.reporting_currency):
        click.echo(sentence)


@main.group(invoke_without_command=True)
@click.pass_context
def sandbox(context: click.Context) -> None:
    """The company that does not exist: serve its vendors (the default), or print its truth."""
    if context.invoked_subcommand is None:
        context.invoke(serve)


@sandbox.command()
@date_option
@click.option("--port", default=8085, show_default=True, help="Port on 127.0.0.1; 0: a free one.")
@click.option("--scenario", default="quiet", show_default=True, help="Faults from the start.")
def serve(as_of_date: date | None = None, port: int = 8085, scenario: str = "quiet") -> None:
    """Serve Google Ads, HubSpot and Typeform on loopback until stopped, as of one night."""
    day = str(_night(as_of_date).clock.as_of_date)
    given = ["serve", "--date", day, "--port", str(port), "--scenario", scenario]
    os.execv(sys.executable, [sys.executable, "-m", "sandbox", *given])  # noqa: S606


@sandbox.command()
@date_option
@click.option("--component", help="Only this component, such as spend_micros.")
@click.option(
    "--swept",
    type=Day(),
    help="The last night that listed all ids of the CRM: a contact deleted for good later still "
    "counts, as it does in what Boscard publishes. Default: nobody counts who is gone.",
)
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv")
def truth(
    as_of_date: date | None,
    component: str | None,
    swept: date | None,
    form: Literal["csv", "json"],
) -> None:
    """Print every KPI component per day and account, from the company itself."""
    from sandbox.truth import print_truth

    night = _night(as_of_date)
    try:
        print_truth(
            night.settings,
            night.clock.as_of_date,
            component=component,
            swept=swept,
            format=form,
        )
    except ValueError as error:
        raise click.ClickException(str(error)) from error


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


@main.command()
def prepare() -> None:
    """Prepare a production server: roles and databases, Airflow's tables and pools, its first user.

    For the settings' own Postgres and an Airflow with FAB; docs/run-in-production.md names the
    variables that tell it where they are. May be run again at any time.
    """
    from boscard.production import prepare as prepare_server

    prepare_server(read_settings(), os.environ, click.echo)


def _run(night: Night, accept_movements: bool) -> NoReturn:
    from boscard.nightly import run_night
    from boscard.summary import print_summary

    console = Console(highlight=False)
    console.print(
        f"[bold]night of {night.clock.as_of_date}[/] (home: {escape(str(night.home.root))})"
    )
    started = datetime.now(UTC)
    outcomes = run_night(night, console, accept_movements)
    sys.exit(print_summary(night, outcomes, datetime.now(UTC) - started, console))


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


main.add_command(quarantine)
main.add_command(incidents)
main.add_command(backup)
main.add_command(restore)


if __name__ == "__main__":
    main()
