"""Airflow on one machine: its settings as environment variables, its database, its pools."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from boscard.home import PROJECT, Home
from boscard.made_secrets import made_once
from boscard.settings import Settings
from ingest.registry import SOURCES

DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
# The same for `airflow db clean` in a task: Airflow takes its own variable from its tasks.
DATABASE_TO_CLEAN = "BOSCARD_AIRFLOW_DATABASE"


def environment(home: Home, port: int | None = None) -> dict[str, str]:
    """The environment in which Airflow runs below `home.airflow`; all of it can be overridden.

    Variables that are set already win, so a team's own Airflow configuration stays.
    """
    base = home.airflow
    ours = {
        "AIRFLOW_HOME": str(base),
        "BOSCARD_HOME": str(home.root),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__FERNET_KEY": _secret(home, "fernet_key"),
        DATABASE: own_database(home),
        "AIRFLOW__API__SECRET_KEY": _secret(home, "api_secret"),
        "AIRFLOW__API_AUTH__JWT_SECRET": _secret(home, "jwt_secret"),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home.logs / "airflow"),
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "1",
        # tasks of a scheduler that was killed start again within a minute, not within five
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "20",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
    }
    if port is not None:
        origin = f"http://127.0.0.1:{port}"
        ours |= {
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__BASE_URL": origin,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{origin}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords_file(home)),
        }
    environ = {**ours, **os.environ}
    environ.setdefault(DATABASE_TO_CLEAN, environ[DATABASE])
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    return environ


def own_database(home: Home) -> str:
    """Where Airflow's database is unless the environment says otherwise."""
    return f"sqlite:///{home.airflow / 'airflow.db'}"


def passwords_file(home: Home) -> Path:
    """The password of Airflow's user `admin`, made here: one that Airflow makes is logged."""
    path = home.airflow / "secrets" / "passwords.json"
    made_once(path, lambda: json.dumps({"admin": secrets.token_urlsafe(18)}))
    return path


def pools(settings: Settings) -> dict[str, int]:
    """Airflow's pools and their slots: one writer of the warehouse, each vendor's concurrency."""
    vendors = {f"vendor_{name}": SOURCES[name].concurrency for name in settings.sources}
    return {"warehouse": 1, **vendors}


def importable(wanted: Mapping[str, int]) -> str:
    """Pools as `airflow pools import` reads them: one start of Airflow for all."""
    described = {name: {"slots": n, "description": "Boscard"} for name, n in wanted.items()}
    return json.dumps(described)


def migrate(home: Home, settings: Settings, environ: dict[str, str]) -> None:
    """Bring Airflow's database, its pools and its copies of our DAGs up to date; quick when it is.

    The DAGs are written here, once, because processes that write new ones at the same time fail.
    """
    import airflow

    stamp = home.airflow / "migrated"
    wanted_pools = pools(settings)
    digest = hashlib.sha256(repr((airflow.__version__, wanted_pools)).encode())
    digest.update(environ[DATABASE].encode())
    for path in sorted((PROJECT / "dags").glob("*.py")):
        digest.update(path.read_bytes())
    wanted = digest.hexdigest()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    home.airflow.mkdir(mode=0o700, parents=True, exist_ok=True)
    _airflow(environ, home, "db", "migrate")
    listed = home.airflow / "pools.json"
    listed.write_text(importable(wanted_pools), encoding="utf-8")
    _airflow(environ, home, "pools", "import", str(listed))
    _airflow(environ, home, "dags", "reserialize")
    stamp.write_text(wanted, encoding="utf-8")


def end_left_runs(home: Home, environ: dict[str, str]) -> None:
    """End what Airflow takes for running of nights that were killed; no night may run meanwhile."""
    _logged(environ, home, sys.executable, "-m", "boscard.left_runs")


def airflow_command() -> str:
    """The airflow program of this environment."""
    return str(Path(sys.executable).with_name("airflow"))


def _airflow(environ: dict[str, str], home: Home, *arguments: str) -> None:
    _logged(environ, home, airflow_command(), *arguments)


def _logged(environ: dict[str, str], home: Home, *command: str) -> None:
    log = home.logs / "airflow-setup.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        done = subprocess.run(
            command, cwd=PROJECT, env=environ, stdout=file, stderr=file, check=False
        )
    if done.returncode:
        raise RuntimeError(f"`{' '.join(command)}` failed: see {log}")


def _secret(home: Home, name: str) -> str:
    def make() -> str:
        from cryptography.fernet import Fernet

        return Fernet.generate_key().decode() if name == "fernet_key" else secrets.token_hex(32)

    return made_once(home.airflow / "secrets" / name, make)
