"""The commands about what is wrong: rows set aside, and incidents."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import click

from boscard.days import Day
from boscard.home import Home
from boscard.landing import open_landing
from boscard.settings import read_settings

if TYPE_CHECKING:
    from expectations.incidents import Incident, Incidents
    from ingest.landing import Landing


@click.group()
def quarantine() -> None:
    """Rows that the gate set aside: list them, look at one."""


@quarantine.command("list")
@click.option("--source", help="Only rows of this source.")
def list_quarantine(source: str | None) -> None:
    """One line a row: its name, day and the checks it failed."""
    from expectations.quarantine import rows_set_aside

    for row in rows_set_aside(_landing(), source):
        click.echo(f"{row.name}\t{row.day or ''}\t{', '.join(row.reasons)}")


@quarantine.command("show")
@click.argument("name")
def show_quarantine(name: str) -> None:
    """One row as the vendor sent it, personal data included, and why it was set aside."""
    from expectations.quarantine import find

    row = find(_landing(), name)
    click.echo(f"batch    {row.batch.folder}\nreasons  {', '.join(row.reasons)}\n{row.row}")


@click.group()
def incidents() -> None:
    """Accounts whose data are kept back: list them, take one on, put one off."""


@incidents.command("list")
@click.option("--all", "with_resolved", is_flag=True, help="Those that are over, too.")
def list_incidents(with_resolved: bool) -> None:
    """One line an incident: its name, state, first night, what is kept back, who said what."""
    for one in _incidents().all():
        if one.is_open or with_resolved:
            click.echo(_line(one))


@incidents.command("ack")
@click.argument("name")
@click.option("--who", required=True, help="Who is on it.")
@click.option("--why", default="", help="What was found, or is being done.")
def acknowledge(name: str, who: str, why: str) -> None:
    """Say that somebody is on an incident."""
    click.echo(_line(_incidents().decide(name, "acknowledged", who=who, why=why)))


@incidents.command("snooze")
@click.argument("name")
@click.option("--until", type=Day(), required=True, help="The last night on which it may stay.")
@click.option("--who", required=True, help="Who decided so.")
@click.option("--why", default="", help="What is being waited for.")
def snooze(name: str, until: date, who: str, why: str) -> None:
    """Put an incident off: it is told of again when it lasts longer than that night."""
    click.echo(_line(_incidents().decide(name, "snoozed", until=until, who=who, why=why)))


def _landing() -> Landing:
    return open_landing(Home.default(), read_settings())


def _incidents() -> Incidents:
    from expectations.incidents import Incidents

    return Incidents(Home.default().incidents)


def _line(one: Incident) -> str:
    state = f"{one.state} until {one.until}" if one.until else one.state
    said = ": ".join(word for word in (one.who, one.why) if word)
    kept = ", ".join(one.streams)
    return "\t".join([one.name, state, f"since {one.since}", kept, said]).rstrip()
