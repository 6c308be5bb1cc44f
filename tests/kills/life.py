"""A process that lives a night's steps below one home, and is killed where it is told to be.

It is forked from a server that has imported everything already, so a life costs what it does.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import dbt.adapters.duckdb
import dbt.cli.main
import dbt.task.build
import great_expectations

from boscard.clock import Clock
from boscard.disk import CannotWrite
from boscard.home import Home
from boscard.night import Night
from boscard.settings import Settings
from boscard.watched import PROGRESS
from expectations import gate as _gate
from ingest import pull
from ingest.budget import Budget
from ingest.connections import Connection
from ingest.tokens import FileTokens
from publish import audit as _audit
from publish import page as _page
from publish import publication as _publication
from sandbox.connections import connections
from tests.kills.privileges import give_up_privileges
from warehouse import load as _load

IMPORTED = (dbt, great_expectations, _gate, _audit, _page, _publication, _load)
KILLED = -signal.SIGKILL
COULD_NOT_WRITE = 3
SECONDS_TO_LIVE = 300

Step = Literal["pull", "gate", "report", "load", "transform", "audit", "publish", "page", "tell"]
INGEST: tuple[Step, ...] = ("pull", "gate", "report")
TO_LOADED: tuple[Step, ...] = (*INGEST, "load")
WHOLE: tuple[Step, ...] = (*TO_LOADED, "transform", "audit", "publish", "page", "tell")


@dataclass(frozen=True, slots=True)
class Point:
    """The instant of a SIGKILL: in `step`, at the nth call of `call` (`module:name`).

    `half` stands for a write that got half its bytes to disk: the last argument is cut in two.
    """

    step: Step
    when: Literal["before", "half", "after"]
    call: str
    nth: int = 1

    def __str__(self) -> str:
        name = self.call.rpartition(":")[2]
        return f"{self.step}: {self.when} {name} {self.nth}"


@dataclass(frozen=True, slots=True)
class Life:
    """What a process does below `home`: `steps` of the night of `day`, until `point`.

    `largest_file` in bytes: a write beyond it fails, as it would on a full disk. `is_bound`: modes
    of files bind this process even where root runs it.
    """

    home: Path
    settings: Settings
    base_url: str
    day: date
    steps: tuple[Step, ...]
    postgres_url: str | None
    consent: str
    log: Path
    point: Point | None = None
    largest_file: int | None = None
    is_bound: bool = False


def begin(life: Life) -> multiprocessing.process.BaseProcess:
    """Start a process; it ends with status 0, with an error in its log, or killed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_live, args=(life,), daemon=True)
    process.start()
    return process


def end(process: multiprocessing.process.BaseProcess) -> int:
    """Wait for a process; its exit status, negative for a signal."""
    process.join(SECONDS_TO_LIVE)
    assert process.exitcode is not None, "the process hangs"
    return process.exitcode


def _live(life: Life) -> None:
    with life.log.open("ab") as log:
        os.dup2(log.fileno(), sys.stdout.fileno())
        os.dup2(log.fileno(), sys.stderr.fileno())
    os.environ.pop(PROGRESS, None)
    os.fsync = lambda _: None  # nothing here is about a power cut
    pull.Budget = lambda _: Budget({})  # type: ignore[assignment, misc]
    company = life.settings.company
    clock = Clock(life.day, company.zone, company.publication_hour)
    night = _Night(life.settings, Home(life.home), clock)
    night.serving[:] = [life.postgres_url]
    if life.is_bound:
        give_up_privileges()
    try:
        with _no_file_larger_than(life.largest_file):
            for step in life.steps:
                if life.point is not None and life.point.step == step:
                    _arm(life.point)
                _take(step, night, life)
    except CannotWrite as error:
        print(error, file=sys.stderr, flush=True)
        sys.exit(COULD_NOT_WRITE)


@contextmanager
def _no_file_larger_than(size: int | None) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    if size is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class _Night(Night):
    """A night that publishes to the server it is given."""

    serving: list[str | None] = []  # noqa: RUF012

    def postgres_url(self) -> str | None:
        return self.serving[0]


def _take(step: Step, night: Night, life: Life) -> None:
    if step in INGEST:
        for source in night.settings.sources:
            if step == "pull":
                tokens = FileTokens(night.home.tokens)
                night.pull(night.due(source), lambda name: _connection(name, life), tokens)
            elif step == "gate":
                night.gate(source)
            else:
                night.report(source)
    elif step == "transform":
        report = night.transform()
        assert report.succeeded, (report.error, [node.message for node in report.failures])
    elif step == "audit":
        audit = night.audit()
        assert audit.may_publish, audit.reasons
    else:
        getattr(night, step)()


def _connection(name: str, life: Life) -> Connection:
    offered = connections(life.base_url, life.consent)[name]
    return Connection(offered["host"], offered["login"], offered["password"], offered["extra"])


def _arm(point: Point) -> None:
    module, _, path = point.call.partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    setattr(owner, name, _deadly(getattr(owner, name), point))


def _deadly(call: Callable[..., Any], point: Point) -> Callable[..., Any]:
    calls, lock = 0, threading.Lock()

    def deadly(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        with lock:
            calls += 1
            is_last = calls == point.nth
        if is_last and point.when == "before":
            _die()
        if is_last and point.when == "half":
            *others, content = arguments
            arguments = (*others, content[: len(content) // 2])
        result = call(*arguments, **named)
        if is_last:
            _die()
        return result

    return deadly


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
