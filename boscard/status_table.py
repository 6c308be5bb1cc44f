"""What `boscard status` shows: a table for a person, JSON for a machine."""

from __future__ import annotations

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from boscard.status import Status

COLOURS = {
    "published": "green",
    "incomplete": "yellow",
    "awaited": "cyan",
    "overdue": "red",
    "fresh": "green",
    "late": "yellow",
    "held": "red",
    "missing": "red",
}
NUMBERS = ("rows", "set aside")


def to_json(status: Status) -> str:
    return msgspec.json.format(msgspec.json.encode(status), indent=2).decode()


def print_status(status: Status, console: Console) -> None:
    console.print(f"night of {status.night}: {_coloured(status.state)}", soft_wrap=True)
    record = status.publication
    if record is None:
        console.print("  published     nothing yet")
    else:
        console.print(f"  published     {record.publication_id}, data through {record.as_of_date}")
        console.print(f"  at            {record.published_at:%Y-%m-%d %H:%M} UTC")
        console.print(f"  content hash  {record.content_hash}", soft_wrap=True)
    if status.at_work:
        console.print(f"  at work       `boscard nightly`, process {status.at_work}")
    console.print(f"  next night    {status.next_night:%Y-%m-%d %H:%M} UTC")
    if status.services:
        parts = (
            f"{part.name} {'up' if part.is_running else '[red]down[/]'}" for part in status.services
        )
        console.print(f"  services      {', '.join(parts)}", soft_wrap=True)
    for complaint in status.wrong:
        console.print(f"  [red]•[/] {escape(complaint)}", soft_wrap=True)
    console.print(_table(status))


def _table(status: Status) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("source", "account", "stream", "state", "through", *NUMBERS):
        table.add_column(name, justify="right" if name in NUMBERS else "left", no_wrap=True)
    for stream in status.streams:
        table.add_row(
            stream.source,
            escape(stream.account),
            stream.stream,
            _coloured(stream.state),
            str(stream.through or "never"),
            f"{stream.rows:,}",
            f"{stream.set_aside:,}",
        )
    return table


def _coloured(state: str) -> str:
    return f"[{COLOURS[state]}]{state}[/]"
