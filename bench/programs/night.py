"""A night of the fictitious company in its steps, each a process; the history before it is as long
as one asks.
"""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from pathlib import Path

from bench.programs.earlier_nights import remember_batches, remember_nights
from boscard.clock import Clock
from boscard.home import Home
from boscard.night import Night
from boscard.settings import Settings
from ingest.plan import places
from ingest.registry import SOURCES
from publish.embedded import Embedded
from publish.login import WRITER
from publish.publication import publish
from tests.end_to_end.nights import installed, small_settings

START = date(2025, 10, 1)
SCALE = 0.02


def settings() -> Settings:
    return small_settings(START, SCALE)


def night(root: Path, days: int) -> Night:
    """The measured night, whose day is the first after the history."""
    chosen = settings()
    company = chosen.company
    clock = Clock(START + timedelta(days=days), company.zone, company.publication_hour)
    return Night(chosen, Home(root / "var"), clock)


def prepare(root: Path, days: int) -> None:
    """Publish the history's last night, and pull and gate the measured one."""
    with installed(root, settings()) as installation:
        last = START + timedelta(days=days - 1)
        measured = last + timedelta(days=1)
        first = installation.night(last)
        assert not installation.ingest(first)
        first.load()
        remember_nights(first.home.warehouse, days)
        remember_batches(first.landing, first.home.warehouse, days)
        assert first.transform().succeeded
        first.publish()
        assert not installation.ingest(installation.night(measured))


def ask(tonight: Night) -> None:
    """All that a night asks about what has landed: the tasks of each ingest, when nothing is due,
    and what the page and the messages tell.
    """
    for source in tonight.settings.sources:
        tonight.due(source)
        for stream in SOURCES[source].streams.values():
            for name, _ in places(tonight.settings, source, stream):
                tonight.due(source, only=(name, stream.name))
        tonight.gate(source)
        tonight.report(source)
    tonight.complaints()


def main() -> None:
    """night prepare|ask|load|transform|audit|publish ROOT DAYS [ROOT of the Postgres that runs]"""
    step, root, days = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if step == "prepare":
        prepare(root, days)
        return
    tonight = night(root, days)
    if step == "ask":
        ask(tonight)
        print(json.dumps({"batches": len(tonight.landing.names())}))
    elif step == "load":
        print(json.dumps({"rows": tonight.load().rows}))
    elif step == "transform":
        report = tonight.transform()
        assert report.succeeded, report.failures
        print(json.dumps({"nodes": {node.name: round(node.seconds, 2) for node in report.nodes}}))
    elif step == "audit":
        print(json.dumps({"may_publish": tonight.audit().may_publish}))
    else:
        served = Embedded(Home(Path(sys.argv[4]) / "var").postgres) if sys.argv[4:] else None
        publication = publish(
            tonight.home,
            tonight.settings,
            tonight.clock,
            postgres_url=served.login(WRITER).url if served else None,
        )
        print(json.dumps({"changed": publication.changed_rows, "rows": publication.record.rows}))


if __name__ == "__main__":
    main()
