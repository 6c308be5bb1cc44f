"""The commands that keep an installation: backup, and restore."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from boscard.home import Home


@click.command()
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder of backups, best on another disk: this one gets a folder of its own there.",
)
def backup(to: Path) -> None:
    """Back up what cannot be had again: landing, publications, messages, keys, tokens, settings.

    A night may run meanwhile. The warehouse is not in it: `boscard restore` rebuilds it.
    """
    from boscard.backup import back_up, not_in_it

    made, what = back_up(Home.default(), to)
    click.echo(f"{made}: {len(what.files):,} files, {what.size / 1e6:,.1f} MB")
    click.echo(f"publication {what.publication_id or 'none'}")
    for needed in not_in_it(what):
        click.echo(f"not in it: {needed}")


@click.command()
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="One backup: the folder with backup.json.",
)
def restore(source: Path) -> None:
    """Put a backup into an empty home, rebuild the warehouse, fill Postgres, write the page.

    Exits 1 when the rebuilt numbers are not those that were published.
    """
    from boscard.restore import restore as restore_home

    sys.exit(restore_home(Home.default(), source, Console(highlight=False)))
