"""`boscard prepare`: a server is ready for its first night, and stays as it is when run again."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
import pytest

from boscard import production
from boscard.production import AIRFLOW_URL, PrepareError, prepare
from boscard.settings import Publication, Settings, SettingsError, read_settings
from publish.embedded import ADMIN, Embedded
from publish.login import Login
from tests.tls import Authority, terminated

FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"


@dataclass
class Airflow:
    """Stands in for Airflow's command line; remembers how it was called."""

    calls: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    pools: dict[str, dict[str, object]] = field(default_factory=dict)

    def __call__(self, *arguments: str, said: str = "") -> None:
        self.calls.append((arguments, said))
        if arguments[:2] == ("pools", "import"):
            self.pools = json.loads(Path(arguments[2]).read_text("utf-8"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    server = Embedded(tmp_path_factory.mktemp("production") / "postgres")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> Airflow:
    stand_in = Airflow()
    monkeypatch.setattr(production, "_airflow", stand_in)
    return stand_in


@pytest.fixture
def settings() -> Settings:
    wanted = Publication(postgres_connection="kpi")
    return read_settings().model_copy(update={"publication": wanted})


@pytest.fixture
def environ(server: Embedded, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    admin = server.login(ADMIN)
    logins = {
        name: replace(admin, user=name, database=database, password=secrets.token_urlsafe(12))
        for name, database in (("airflow", "airflow"), ("kpi_writer", "kpi"))
    }
    monkeypatch.setenv("AIRFLOW_CONN_KPI", logins["kpi_writer"].url)
    return {
        "POSTGRES_ADMIN_URL": admin.url,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": logins["airflow"].url.replace("://", "+psycopg2://"),
        "KPI_READER_PASSWORD": "the reader's",
        "AIRFLOW_ADMIN_PASSWORD": "the first user's",
    }


def test_it_prepares_roles_tables_pools_and_the_first_user(server, settings, environ, airflow):
    said: list[str] = []
    for _ in range(2):
        prepare(settings, environ, said.append)
    reader = replace(
        server.login(ADMIN), user="kpi_reader", database="kpi", password="the reader's"
    )
    with psycopg.connect(reader.url) as connection:
        assert connection.execute("show transaction_isolation").fetchone() == ("repeatable read",)
    for variable in ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "POSTGRES_ADMIN_URL"):
        psycopg.connect(Login.parse(environ[variable]).url).close()
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(replace(reader, database="airflow").url)
    assert [" ".join(arguments[:2]) for arguments, _ in airflow.calls[:3]] == [
        "db migrate", "pools import", "users create",
    ]  # fmt: skip
    assert airflow.pools["warehouse"] == {"slots": 1, "description": "Boscard"}
    assert set(airflow.pools) == {"warehouse", *(f"vendor_{name}" for name in settings.sources)}
    secrets_said = [value for value in environ.values() if value in " ".join(said)]
    assert said
    assert not secrets_said


@pytest.mark.slow
def test_it_prepares_a_server_by_tls_alone(server, settings, environ, monkeypatch, tmp_path):
    """Airflow's own commands too; a certificate that another authority signed is refused."""
    authority = Authority.make(tmp_path, "ours")
    with terminated(server.login(ADMIN).port, authority, tmp_path) as tls:
        asked = f"?sslmode=verify-full&sslrootcert={authority.file}"

        def by_tls(url: str) -> str:
            return url.replace(f":{tls.behind}/", f":{tls.port}/") + asked

        airflow = {
            "AIRFLOW_HOME": str(tmp_path / "airflow"),
            "AIRFLOW__CORE__AUTH_MANAGER": FAB,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": by_tls(environ[AIRFLOW_URL]),
        }
        for name, value in airflow.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AIRFLOW_CONN_KPI", by_tls(os.environ["AIRFLOW_CONN_KPI"]))
        admin = {"POSTGRES_ADMIN_URL": by_tls(environ["POSTGRES_ADMIN_URL"])}
        prepare(settings, environ | airflow | admin, lambda _: None)
        assert tls.sessions > 5
        with psycopg.connect(Login.parse(by_tls(environ[AIRFLOW_URL])).url) as connection:
            assert connection.pgconn.ssl_in_use
            users = connection.execute("select username from ab_user").fetchall()
            assert users == [("admin",)]
        other = Authority.make(tmp_path, "theirs")
        wrong = airflow[AIRFLOW_URL].replace(str(authority.file), str(other.file))
        monkeypatch.setenv(AIRFLOW_URL, wrong)
        with pytest.raises(PrepareError, match="certificate verify failed"):
            production._airflow("db", "check-migrations")


def test_the_first_password_is_no_argument(settings, environ, airflow):
    prepare(settings, environ, lambda _: None)
    arguments, said = airflow.calls[-1]
    assert "the first user's" not in " ".join(arguments)
    assert said == "the first user's\nthe first user's\n"


def test_what_is_missing_is_named(settings, environ, airflow):
    given = environ | {"KPI_READER_PASSWORD": ""}
    del given["POSTGRES_ADMIN_URL"]
    with pytest.raises(SettingsError, match=r"^POSTGRES_ADMIN_URL, KPI_READER_PASSWORD: not set"):
        prepare(settings, given, print)
    embedded = settings.model_copy(update={"publication": Publication()})
    with pytest.raises(SettingsError, match=r"publication\.postgres_connection is missing"):
        prepare(embedded, environ, print)
    assert airflow.calls == []


@pytest.mark.parametrize(
    "executor", ["LocalExecutor", "local", "airflow.executors.local_executor.LocalExecutor", " "]
)
def test_tasks_that_would_run_without_their_home_are_refused(settings, environ, airflow, executor):
    with pytest.raises(SettingsError, match=r"CeleryExecutor or left out of \.env"):
        prepare(settings, environ | {"EXECUTOR": executor}, print)
    assert airflow.calls == []


@pytest.mark.parametrize("executor", ["", "CeleryExecutor"])
def test_executors_that_have_their_home(settings, environ, airflow, executor):
    prepare(settings, environ | {"EXECUTOR": executor}, lambda _: None)
    assert airflow.calls


def test_a_server_that_lets_nobody_in_is_told_without_the_password(
    server, settings, environ, airflow, monkeypatch
):
    monkeypatch.setattr(production, "SECONDS_TO_ANSWER", -1)
    wrong = replace(server.login(ADMIN), password="not this one")
    with pytest.raises(PrepareError, match="does not let boscard_admin in") as caught:
        prepare(settings, environ | {"POSTGRES_ADMIN_URL": wrong.url}, print)
    assert "not this one" not in str(caught.value)


def test_airflow_that_refuses_is_quoted():
    with pytest.raises(PrepareError, match="`airflow no-such` failed"):
        production._airflow("no-such")
