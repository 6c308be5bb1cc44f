"""`boscard prepare`: what a server needs before its first night and after each upgrade.

Roles and databases in Postgres, Airflow's tables and pools, its first user. Run again, it changes
nothing but passwords that differ. All of it is told by the environment, as Airflow itself is.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import psycopg

from boscard.airflow_home import airflow_command, importable, pools
from boscard.connections import read_postgres_url
from boscard.settings import Settings, SettingsError
from publish.login import READER, Login
from publish.roles import admit_reader, prepare_database

SECONDS_TO_ANSWER = 60
FIRST_USER = "admin"
# The owner of the server, Airflow's own database, the passwords of kpi_reader and of the first user
VARIABLES = (
    ADMIN_URL := "POSTGRES_ADMIN_URL",
    AIRFLOW_URL := "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    READER_PASSWORD := "KPI_READER_PASSWORD",
    FIRST_PASSWORD := "AIRFLOW_ADMIN_PASSWORD",
)


class PrepareError(Exception):
    """A server cannot be prepared; the message says what to do."""


def prepare(settings: Settings, environ: Mapping[str, str], say: Callable[[str], object]) -> None:
    """Prepare the server that `environ` and the settings name.

    Raises SettingsError for what is missing, PrepareError when Postgres or Airflow refuses.
    """
    if environ.get("EXECUTOR", "") not in ("", "CeleryExecutor"):
        raise SettingsError(
            f"EXECUTOR={environ['EXECUTOR']}: it is CeleryExecutor or left out of .env, then "
            "LocalExecutor. Where it is set, docker-compose.yml gives the home to workers alone"
        )
    missing = [name for name in VARIABLES if not environ.get(name)]
    if missing:
        raise SettingsError(f"{', '.join(missing)}: not set (see docs/run-in-production.md)")
    connection = settings.publication.postgres_connection
    if connection is None:
        raise SettingsError(
            "publication.postgres_connection is missing; name the connection of the serving "
            "database, such as 'kpi' (see docs/settings.md)"
        )
    admin, airflow = Login.parse(environ[ADMIN_URL]), Login.parse(environ[AIRFLOW_URL])
    writer = Login.parse(read_postgres_url(connection))
    reader = replace(writer, user=READER, password=environ[READER_PASSWORD])
    _wait(admin)
    prepare_database(admin, airflow)
    prepare_database(admin, writer)
    admit_reader(admin, reader)
    say(f"Postgres: {airflow.database} of {airflow.user}; {writer.database} of {writer.user}")
    _airflow("db", "migrate")
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        file.write(importable(pools(settings)))
        file.flush()
        _airflow("pools", "import", file.name)
    say("Airflow: tables and pools")
    _create_first_user(environ[FIRST_PASSWORD])
    say(f"Airflow: user {FIRST_USER}")


def _wait(admin: Login) -> None:
    until = time.monotonic() + SECONDS_TO_ANSWER
    while True:
        try:
            psycopg.connect(admin.url, connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if time.monotonic() > until:
                raise PrepareError(
                    f"Postgres at {admin.host}:{admin.port} does not let {admin.user} in: {error}"
                ) from None
            time.sleep(1)
        else:
            return


def _create_first_user(password: str) -> None:
    """Only where it is absent: a password that was changed since stays.

    It is handed over by standard input, because arguments can be read by every process.
    """
    names = ["--username", FIRST_USER, "--firstname", "First", "--lastname", "Administrator"]
    address = ["--email", "admin@localhost"]
    _airflow("users", "create", "--role", "Admin", *names, *address, said=f"{password}\n" * 2)


def _airflow(*arguments: str, said: str = "") -> None:
    done = subprocess.run(
        [airflow_command(), *arguments],
        input=said,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        start_new_session=True,  # without a terminal a password is read from standard input
    )
    if done.returncode:
        command = " ".join(arguments[:2])
        raise PrepareError(f"`airflow {command}` failed:\n{done.stdout[-4000:]}")
