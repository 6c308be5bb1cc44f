"""A night of the fictitious company in its steps, each a process; the history before it is as long
as one asks.
"""

from __future__ import annotations

import argparse
import json
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

from bench.programs.earlier_nights import numbered_after, remember_batches, remember_nights
from boscard.backfill import asking
from boscard.clock import Clock
from boscard.home import Home
from boscard.night import Night
from ingest.connections import Connection
from ingest.tokens import FileTokens
from publish.embedded import Embedded
from publish.login import WRITER
from publish.publication import publish
from sandbox.company import Company
from sandbox.connections import connections
from tests.end_to_end.nights import installed, small_settings

SCALE = 0.02


def prepare(tonight: Night, company_start: date) -> None:
    """Publish the night before, with a line of every night of the history before that one."""
    settings, clock = tonight.settings, tonight.clock
    days = (clock.as_of_date - settings.company.history_start).days
    company = Company(settings.sandbox.seed, company_start, SCALE, settings.company.time_zone)
    with installed(tonight.home.root.parent, settings, company) as installation:
        last = installation.night(clock.as_of_date - timedelta(days=1))
        with numbered_after(days):
            assert not installation.ingest(last)
        last.load()
        remember_nights(last.home.warehouse, days)
        remember_batches(last.landing, last.home.warehouse, days)
        report = last.transform()
        assert report.succeeded, report.error or report.failures
        last.publish()


def ingest(tonight: Night, base_url: str) -> None:
    """What the tasks of each ingest do: plan, pull, gate, verdict; and what is told afterwards."""
    offered = connections(base_url, grant=uuid4().hex)  # of a copy: tokens of another have rotated

    def connection(name: str) -> Connection:
        one = offered[name]
        return Connection(one["host"], one["login"], one["password"], one["extra"])

    for source in tonight.settings.sources:
        for place in dict.fromkeys((unit.account, unit.stream) for unit in tonight.due(source)):
            units = tonight.due(source, only=place)
            tonight.pull(units, connection, FileTokens(tonight.home.tokens))
        tonight.gate(source)
        tonight.report(source)
    assert len(tonight.complaints()) == 1  # not published yet, and nothing else


def load(tonight: Night) -> dict[str, int]:
    """Rows loaded; of these, rows of lists that the vendor gives only whole."""
    report = tonight.load()
    lists = sum(batch.manifest.rows for batch in report.loaded if batch.manifest.window is None)
    return {"rows": report.rows, "rows of lists": lists}


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="night", description=__doc__)
    steps = ("prepare", "ingest", "load", "transform", "audit", "publish")
    parser.add_argument("step", choices=steps)
    parser.add_argument("root", type=Path, help="the folder of the installation's home")
    parser.add_argument("history_start", type=date.fromisoformat)
    parser.add_argument("night", type=date.fromisoformat)
    parser.add_argument("--company-start", type=date.fromisoformat, help="for prepare")
    parser.add_argument("--asked", type=date.fromisoformat, help="all days since are asked for")
    parser.add_argument("--vendors", help="for ingest: the sandbox's address")
    parser.add_argument("--postgres", type=Path, help="for publish: the root of one that runs")
    return parser


def main() -> None:
    given = arguments().parse_args()
    settings = small_settings(given.history_start, SCALE)
    company = settings.company
    clock = Clock(given.night, company.zone, company.publication_hour)
    tonight = Night(settings, Home(given.root / "var"), clock)
    if given.asked:
        tonight = asking(tonight, given.asked, given.night)
    told: dict[str, object] = {}
    if given.step == "prepare":
        prepare(tonight, given.company_start or given.history_start)
        told = {"batches": len(tonight.landing.names())}
    elif given.step == "ingest":
        ingest(tonight, given.vendors)
    elif given.step == "load":
        told = {**load(tonight)}
    elif given.step == "transform":
        report = tonight.transform()
        assert report.succeeded, report.failures
        told = {"nodes": {node.name: round(node.seconds, 2) for node in report.nodes}}
    elif given.step == "audit":
        told = {"may_publish": tonight.audit().may_publish}
    else:
        served = Embedded(Home(given.postgres / "var").postgres) if given.postgres else None
        url = served.login(WRITER).url if served else None
        publication = publish(tonight.home, settings, clock, postgres_url=url)
        told = {"changed": publication.changed_rows, "rows": publication.record.rows}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
