"""`boscard up` and `boscard down`: Airflow with its scheduler, and Postgres for BI, on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import requests
from rich.console import Console

from boscard import airflow_home
from boscard.home import PROJECT, Home
from boscard.settings import Settings
from boscard.vendors import sandbox_connections
from publish.embedded import Embedded
from publish.url import reader_url

SECONDS_TO_START = 180.0
SECONDS_TO_STOP = 20.0


class ServiceError(Exception):
    """A service did not start; the message names its log."""


@dataclass(frozen=True, slots=True)
class Service:
    """A process that `up` started. `created` tells it from a later process with the same pid."""

    name: str
    pid: int
    created: float

    def process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            is_ours = abs(process.create_time() - self.created) < 1
            return process if is_ours and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


def start_services(home: Home, settings: Settings, port: int, console: Console) -> None:
    """Start what is not running yet and say where to look. Raises ServiceError."""
    home.create()
    home.logs.mkdir(exist_ok=True)
    running = [service for service in _read(home) if service.process()]
    if running:
        names = ", ".join(service.name for service in running)
        raise ServiceError(f"already running: {names}. `boscard down` stops them")
    environ = airflow_home.environment(home, port)
    with console.status("preparing Airflow's database"):
        airflow_home.migrate(home, settings, environ)
    if settings.publication.postgres_connection is None:
        Embedded(home.postgres).start()
    commands: dict[str, list[str]] = {
        "api-server": [airflow_home.airflow_command(), "api-server"],
        "scheduler": [airflow_home.airflow_command(), "scheduler", "--skip-serve-logs"],
        "dag-processor": [airflow_home.airflow_command(), "dag-processor"],
    }
    started: list[Service] = []
    try:
        if settings.sandbox.enabled:
            environ |= _start_sandbox(home, settings, environ, started)
        for name, command in commands.items():
            started.append(_start(name, command, environ, home))
            _write(home, started)
        with console.status("waiting for Airflow"):
            _wait(port, started, home)
    except BaseException:
        _stop(started)
        _write(home, [])
        raise
    passwords = airflow_home.passwords_file(home)
    console.print(f"Airflow   http://127.0.0.1:{port} (user admin, password in {passwords})")
    if settings.publication.postgres_connection is None:
        console.print(f"Postgres  {reader_url(home, settings)}", markup=False, soft_wrap=True)
    console.print(f"logs      {home.logs}; `boscard down` stops all of it")


def stop_services(home: Home, console: Console) -> None:
    """Stop what `up` started, and nothing else."""
    services = [service for service in _read(home) if service.process()]
    _stop(services)
    _write(home, [])
    server = Embedded(home.postgres)
    is_served = home.postgres.exists() and server.is_running()
    if is_served:
        server.stop()
    names = [service.name for service in services] + ["postgres"] * is_served
    console.print(f"stopped: {', '.join(names)}" if names else "nothing was running")


def _start(name: str, command: list[str], environ: dict[str, str], home: Home) -> Service:
    with (home.logs / f"{name}.log").open("ab") as log:
        child = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return Service(name, child.pid, psutil.Process(child.pid).create_time())


def _start_sandbox(
    home: Home, settings: Settings, environ: dict[str, str], started: list[Service]
) -> dict[str, str]:
    """The fictitious company, which lives on day by day, and the connections that reach it."""
    log = home.logs / "sandbox.log"
    log.unlink(missing_ok=True)
    command = [sys.executable, "-m", "sandbox", "serve", "--follow"]
    started.append(_start("sandbox", command, environ, home))
    _write(home, started)
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and started[-1].process():
        found = [word for word in log.read_text("utf-8").split() if word.startswith("http://127")]
        if found:
            wanted = {account.connection: account.source for account in settings.accounts}
            offered = sandbox_connections(found[0], wanted)
            return {name: value for name, value in offered.items() if name not in environ}
        time.sleep(0.2)
    raise ServiceError(f"the sandbox did not start: see {log}")


def _wait(port: int, services: list[Service], home: Home) -> None:
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until:
        for service in services:
            if service.process() is None:
                log = home.logs / f"{service.name}.log"
                raise ServiceError(f"{service.name} ended at once: see {log}")
        try:
            health = requests.get(f"http://127.0.0.1:{port}/api/v2/monitor/health", timeout=2)
            states = health.json()
            if all(states[part]["status"] == "healthy" for part in ("scheduler", "dag_processor")):
                return
        except (requests.RequestException, ValueError, KeyError):
            pass
        time.sleep(0.5)
    raise ServiceError(f"Airflow did not become healthy in {SECONDS_TO_START:.0f} s: {home.logs}")


def _stop(services: list[Service]) -> None:
    """End each process with its children: asked first, killed after twenty seconds."""
    processes = []
    for service in services:
        process = service.process()
        if process is not None:
            processes += [process, *process.children(recursive=True)]
    for process in processes:
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            continue
    _, alive = psutil.wait_procs(processes, timeout=SECONDS_TO_STOP)
    for process in alive:
        process.kill()


def _read(home: Home) -> list[Service]:
    path = _path(home)
    if not path.exists():
        return []
    return [Service(**service) for service in json.loads(path.read_text(encoding="utf-8"))]


def _write(home: Home, services: list[Service]) -> None:
    path = _path(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps([asdict(service) for service in services]), encoding="utf-8")
    part.replace(path)


def _path(home: Home) -> Path:
    return home.root / "services.json"
