"""`boscard up` and `boscard down`: Airflow with its scheduler, and Postgres for BI, on loopback."""

from __future__ import annotations

import sys
import time

import requests
from rich.console import Console

from boscard import airflow_home, processes
from boscard.home import Home
from boscard.nightly import running_night
from boscard.processes import Service
from boscard.settings import Settings
from boscard.vendors import sandbox_connections
from publish.embedded import Embedded
from publish.url import reader_url

SECONDS_TO_START = 180.0
# In this order: a task that finds no api-server fails, and waits for its next try.
AIRFLOW = (
    {"api-server": ["api-server"], "dag-processor": ["dag-processor"]},
    {"scheduler": ["scheduler", "--skip-serve-logs"]},
)
# What each is called where Airflow tells of its health.
HEALTH = {"api-server": "metadatabase", "dag-processor": "dag_processor", "scheduler": "scheduler"}


class ServiceError(Exception):
    """A service did not start; the message says why, or names its log."""


def start_services(home: Home, settings: Settings, port: int, console: Console) -> None:
    """Start what is not running and say where to look. Raises ServiceError.

    Where something is running already, Airflow keeps the port that it has.
    """
    home.create()
    home.logs.mkdir(exist_ok=True)
    wanted = ["sandbox"] * settings.sandbox.enabled + [name for part in AIRFLOW for name in part]
    running = {service.name: service for service in services(home) if service.process()}
    if set(wanted) <= set(running):
        names = ", ".join(running)
        raise ServiceError(f"already running: {names}. `boscard down` stops them")
    _refuse_beside_night(home)
    if settings.sandbox.enabled and "sandbox" not in running:
        running = {}  # it will answer elsewhere, and whoever asks it must know where
    processes.stop(service for service in services(home) if service.name not in running)
    processes.note(home.services, list(running.values()))
    port = _port(home, None if running else port)
    environ = airflow_home.environment(home, port)
    if not running:
        with console.status("preparing Airflow's database"):
            airflow_home.migrate(home, settings, environ)
            _refuse_beside_night(home)
            airflow_home.end_left_runs(home, environ)
    if settings.publication.postgres_connection is None:
        Embedded(home.postgres).start()
    started: list[Service] = []

    def start(name: str, command: list[str]) -> None:
        started.append(processes.start(name, command, environ, home.logs / f"{name}.log"))
        processes.note(home.services, [*running.values(), *started])

    try:
        if settings.sandbox.enabled:
            if "sandbox" not in running:
                (home.logs / "sandbox.log").unlink(missing_ok=True)
                start("sandbox", [sys.executable, "-m", "sandbox", "serve", "--follow"])
            environ |= _sandbox(home, settings, environ)
        with console.status("waiting for Airflow"):
            for part in AIRFLOW:
                for name, arguments in part.items():
                    _refuse_beside_night(home)
                    if name not in running:
                        start(name, [airflow_home.airflow_command(), *arguments])
                for name in part:
                    _wait(home, port, name)
    except BaseException:
        processes.stop(started)
        processes.note(home.services, list(running.values()))
        raise
    passwords = airflow_home.passwords_file(home)
    console.print(f"Airflow   http://127.0.0.1:{port} (user admin, password in {passwords})")
    if settings.publication.postgres_connection is None:
        console.print(f"Postgres  {reader_url(home, settings)}", markup=False, soft_wrap=True)
    console.print(f"logs      {home.logs}; `boscard down` stops all of it")


def stop_services(home: Home, console: Console) -> None:
    """Stop what `up` started, and nothing else."""
    known = services(home)
    names = [service.name for service in known if service.process()]
    processes.stop(known)
    processes.note(home.services, [])
    server = Embedded(home.postgres)
    if home.postgres.exists() and server.is_running():
        server.stop()
        names.append("postgres")
    console.print(f"stopped: {', '.join(names)}" if names else "nothing was running")


def services(home: Home) -> list[Service]:
    """What `up` started last, whether it still runs or not."""
    return processes.read(home.services)


def _sandbox(home: Home, settings: Settings, environ: dict[str, str]) -> dict[str, str]:
    """The connections that reach the fictitious company, which lives on day by day."""
    log = home.logs / "sandbox.log"
    [sandbox] = [service for service in services(home) if service.name == "sandbox"]
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and sandbox.process():
        found = [word for word in log.read_text("utf-8").split() if word.startswith("http://127")]
        if found:
            wanted = {account.connection: account.source for account in settings.accounts}
            offered = sandbox_connections(found[0], wanted)
            return {name: value for name, value in offered.items() if name not in environ}
        time.sleep(0.2)
    raise ServiceError(f"the sandbox did not start: see {log}")


def _wait(home: Home, port: int, name: str) -> None:
    """Until a part of Airflow says of itself that it is well. Raises ServiceError."""
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until:
        for service in services(home):
            if service.process() is None:
                log = home.logs / f"{service.name}.log"
                raise ServiceError(f"{service.name} ended at once: see {log}")
        try:
            health = requests.get(f"http://127.0.0.1:{port}/api/v2/monitor/health", timeout=2)
            part = HEALTH[name]
            if health.json()[part]["status"] == "healthy":
                return
        except (requests.RequestException, ValueError, KeyError):
            pass
        time.sleep(0.5)
    raise ServiceError(f"{name} did not become healthy in {SECONDS_TO_START:.0f} s: {home.logs}")


def _refuse_beside_night(home: Home) -> None:
    """Asked again before each part is started: a night may begin meanwhile."""
    if process := running_night(home):
        raise ServiceError(
            f"a night is running below {home.root} (process {process}), and Airflow's scheduler "
            "would take up its tasks: start again when it is over"
        )


def _port(home: Home, wanted: int | None) -> int:
    """Airflow's port, kept for whoever starts a part of it again."""
    kept = home.airflow / "port"
    if wanted is None:
        return int(kept.read_text(encoding="ascii"))
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept.write_text(str(wanted), encoding="ascii")
    return wanted
