"""`boscard down` stops what `up` started and its leavings alone; no night runs beside `up`."""

from __future__ import annotations

import io
import os
import sys
from contextlib import ExitStack
from dataclasses import replace
from datetime import date

import psutil
import pytest
from rich.console import Console

from boscard import airflow_home, processes, services
from boscard.clock import Clock
from boscard.home import PROJECT, Home
from boscard.night import Night
from boscard.nightly import NightlyError, _only_one, run_night
from boscard.settings import read_settings

WAITING = "import subprocess, sys, time\n{child}\nprint('up', flush=True)\ntime.sleep(600)"
CHILD = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path)
    home.logs.mkdir()
    return home


@pytest.fixture
def start(home):
    started = []

    def run(name, child=""):
        command = [sys.executable, "-c", WAITING.format(child=child)]
        service = processes.start(name, command, os.environ, home.logs / f"{name}.log")
        started.append(service)
        log = home.logs / f"{name}.log"
        while "up" not in log.read_text("utf-8"):
            assert service.process() is not None
        return service

    yield run
    processes.stop(started)


def a_night(home):
    settings = read_settings(PROJECT / "boscard.toml")
    return Night(settings, home, Clock(date(2025, 10, 20), settings.company.zone, 7))


def said(home):
    out = io.StringIO()
    services.stop_services(home, Console(file=out, width=200))
    return out.getvalue().strip()


def test_what_was_started_is_stopped_with_its_children(home, start):
    service = start("scheduler", CHILD)
    processes.note(home.services, [service])
    [child] = service.process().children()
    assert said(home) == "stopped: scheduler"
    assert service.process() is None
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert said(home) == "nothing was running"


def test_what_a_killed_service_left_behind_is_stopped(home, start):
    """Airflow's scheduler leaves its workers so."""
    service = start("scheduler", CHILD)
    processes.note(home.services, [service])
    [child] = service.process().children()
    service.process().kill()
    psutil.wait_procs([psutil.Process(service.pid)])
    assert child.is_running()
    assert said(home) == "nothing was running"
    gone, _ = psutil.wait_procs([child], timeout=30)
    assert gone


def test_a_later_process_with_the_same_pid_is_left_alone(home, start):
    service = start("somebody-elses")
    earlier = replace(service, name="api-server", created=service.created - 3600)
    processes.note(home.services, [earlier])
    assert said(home) == "nothing was running"
    assert service.process() is not None


def test_up_twice_is_told(home, start):
    names = ("sandbox", "api-server", "dag-processor", "scheduler")
    processes.note(home.services, [start(name) for name in names])
    settings = read_settings(PROJECT / "boscard.toml")
    with pytest.raises(services.ServiceError, match=f"already running: {', '.join(names)}"):
        services.start_services(home, settings, 8080, Console(file=io.StringIO()))


@pytest.fixture
def begun(monkeypatch):
    """Airflow is never asked for: what begins raises this."""

    def reached(*_):
        raise RuntimeError("it has begun")

    monkeypatch.setattr(airflow_home, "environment", reached)
    return pytest.raises(RuntimeError, match="it has begun")


@pytest.mark.usefixtures("begun")
def test_up_beside_a_night_is_refused(home):
    settings = read_settings(PROJECT / "boscard.toml")
    with (
        _only_one(a_night(home)),
        pytest.raises(services.ServiceError, match=rf"a night is running .*process {os.getpid()}"),
    ):
        services.start_services(home, settings, 8080, Console(file=io.StringIO()))


def test_up_is_refused_where_a_night_begins_meanwhile(home, monkeypatch):
    settings = read_settings(PROJECT / "boscard.toml")
    with ExitStack() as stack:

        def migrate(*_):
            stack.enter_context(_only_one(a_night(home)))

        monkeypatch.setattr(airflow_home, "environment", lambda *_: {})
        monkeypatch.setattr(airflow_home, "migrate", migrate)
        monkeypatch.setattr(airflow_home, "end_left_runs", lambda *_: pytest.fail("ended its runs"))
        with pytest.raises(services.ServiceError, match="a night is running"):
            services.start_services(home, settings, 8080, Console(file=io.StringIO()))


@pytest.mark.usefixtures("begun")
@pytest.mark.parametrize("is_killed", [False, True], ids=["alive", "killed, workers alive"])
def test_a_night_beside_up_is_refused(home, start, is_killed):
    service = start("scheduler", CHILD)
    processes.note(home.services, [service])
    if is_killed:
        service.process().kill()
        psutil.wait_procs([psutil.Process(service.pid)])
    with pytest.raises(NightlyError, match="`boscard down` stops it"):
        run_night(a_night(home), Console(file=io.StringIO()))


def test_a_night_in_another_airflows_database_is_refused(home, monkeypatch):
    monkeypatch.setenv(airflow_home.DATABASE, "postgresql+psycopg2://airflow:word@postgres/airflow")
    monkeypatch.setattr(airflow_home, "migrate", lambda *_: pytest.fail("it has begun"))
    with pytest.raises(NightlyError, match=r"dags trigger.* ingest_google_ads.* scorecard") as told:
        run_night(a_night(home), Console(file=io.StringIO()))
    assert "word" not in str(told.value)


def test_a_night_beside_the_sandbox_alone_begins(home, start, begun):
    processes.note(home.services, [start("sandbox")])
    with begun:
        run_night(a_night(home), Console(file=io.StringIO()))


def test_airflow_keeps_its_port_and_its_password(home):
    assert services._port(home, 8123) == services._port(home, None) == 8123
    first = airflow_home.passwords_file(home)
    words = first.read_bytes()
    assert airflow_home.passwords_file(home).read_bytes() == words
    assert first.stat().st_mode & 0o077 == 0
