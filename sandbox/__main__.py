"""`python -m sandbox serve`: the fictitious company's vendors, on loopback unless told otherwise,
until it is told to stop.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from boscard.clock import Clock
from boscard.settings import Settings, read_settings
from sandbox.company import Company
from sandbox.faults import SCENARIOS
from sandbox.limits import Limits
from sandbox.process import READY
from sandbox.server import LOOPBACK, Sandbox, serve


def arguments(settings: Settings) -> argparse.ArgumentParser:
    """The command's options; their defaults come from the settings file."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("serve", help="serve the vendors on loopback")
    night = command.add_mutually_exclusive_group(required=True)
    night.add_argument("--date", type=date.fromisoformat, help="the night to show")
    night.add_argument("--follow", action="store_true", help="last night, and each night to come")
    command.add_argument("--host", default=LOOPBACK, help="0.0.0.0 inside a container")
    command.add_argument("--port", type=int, default=0, help="0 takes a free one")
    command.add_argument("--seed", type=int, default=settings.sandbox.seed)
    command.add_argument("--scale", type=float, default=settings.sandbox.scale)
    command.add_argument(
        "--start",
        type=date.fromisoformat,
        default=settings.company.history_start,
        help="first day with data",
    )
    command.add_argument(
        "--scenario", choices=list(SCENARIOS), default="quiet", help="faults from the start"
    )
    command.add_argument(
        "--no-limits", action="store_true", help="switch the vendors' rate limits off"
    )
    command.add_argument(
        "--attached", action="store_true", help="end when standard input does (with the parent)"
    )
    return parser


def main() -> None:
    settings = read_settings()
    given = arguments(settings).parse_args()
    zone = settings.company.time_zone
    company = Company(seed=given.seed, start=given.start, scale=given.scale, time_zone=zone)
    hour = settings.company.publication_hour
    clock = Clock(given.date, ZoneInfo(zone), hour) if given.date else last_night(zone, hour)
    sandbox = Sandbox(
        company,
        clock,
        limits=Limits.none() if given.no_limits else Limits(),
        faults=SCENARIOS[given.scenario],
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    def ready(base_url: str) -> None:
        sys.stdout.write(f"{READY}{base_url} as of {clock.as_of_date}\n")
        sys.stdout.flush()

    if given.attached:
        threading.Thread(target=_end_with_input, daemon=True).start()
    if given.follow:
        threading.Thread(target=_follow, args=(sandbox, zone, hour), daemon=True).start()
    serve(sandbox, given.port, ready, given.host)


def last_night(time_zone: str, publication_hour: int) -> Clock:
    """The night that is published today, by the machine's clock."""
    return Clock.at(datetime.now(UTC), ZoneInfo(time_zone), publication_hour)


def _follow(sandbox: Sandbox, time_zone: str, publication_hour: int) -> None:
    """Move on to each new night within a minute of midnight in the business time zone."""
    while True:
        night = last_night(time_zone, publication_hour)
        if night != sandbox.clock:
            sandbox.set_clock(night)
        time.sleep(60)


def _end_with_input() -> None:
    """End this process when its standard input does: whoever started it is gone."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
