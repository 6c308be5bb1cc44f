"""TLS to a Postgres of one's own: what the connection asks for is what publisher and reader do.

The embedded server speaks no TLS, so a terminator with a certificate of our own stands before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from boscard.connections import read_postgres_url
from publish.connection import ServerRefusedError
from publish.login import READER, Login
from publish.postgres import transaction
from publish.publication import publish
from publish.url import reader_url
from tests.tls import Authority, Terminator, terminated


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("trusted"), "our authority")


@pytest.fixture
def tls(database: Any, authority: Authority, tmp_path: Path) -> Iterator[Terminator]:
    with terminated(Login.parse(database.writer).port, authority, tmp_path) as one:
        yield one


@pytest.fixture
def connected(database: Any, tls: Terminator, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The URL of an Airflow connection to the terminator, with these extras."""

    def url(**extra: str) -> str:
        login = Login.parse(database.writer)
        connection = {
            "conn_type": "postgres",
            "host": "127.0.0.1",
            "port": tls.port,
            "login": login.user,
            "password": login.password,
            "schema": login.database,
            "extra": extra,
        }
        monkeypatch.setenv("AIRFLOW_CONN_TLS_KPI", json.dumps(connection))
        return read_postgres_url("tls_kpi")

    return url


def test_a_night_is_published_and_read_over_tls(
    connected: Any, tls: Terminator, authority: Authority, installation: Any, database: Any
) -> None:
    url = connected(sslmode="verify-full", sslrootcert=str(authority.file))
    clock = installation.transform()
    published = publish(installation.home, installation.settings, clock, postgres_url=url)
    assert published.changed_rows > 0
    assert tls.sessions >= 2
    given = Login.parse(reader_url(installation.home, installation.settings, url))
    known = Login.parse(database.reader)
    before = tls.sessions
    with psycopg.connect(replace(given, password=known.password).url) as reader:
        assert reader.pgconn.ssl_in_use
        assert reader.execute("select count(*) from kpi.publications").fetchone() == (1,)
    assert (given.user, tls.sessions) == (READER, before + 1)


def test_a_server_of_another_authority_is_refused(
    connected: Any, installation: Any, tmp_path: Path, tls: Terminator
) -> None:
    other = Authority.make(tmp_path, "somebody else")
    url = connected(sslmode="verify-full", sslrootcert=str(other.file))
    clock = installation.transform()
    with pytest.raises(ServerRefusedError, match="certificate verify failed") as refused:
        publish(installation.home, installation.settings, clock, postgres_url=url)
    assert "sslrootcert" in str(refused.value)
    assert Login.parse(url).password not in str(refused.value)
    with pytest.raises(Exception, match="certificate verify failed"), transaction(url):
        pass


def test_a_certificate_for_another_host_is_refused(
    connected: Any, installation: Any, authority: Authority
) -> None:
    url = connected(sslmode="verify-full", sslrootcert=str(authority.file))
    elsewhere = url.replace("127.0.0.1", "localhost")
    with pytest.raises(ServerRefusedError, match="does not match host name"):
        publish(
            installation.home, installation.settings, installation.transform(),
            postgres_url=elsewhere,
        )  # fmt: skip


def test_a_session_without_tls_is_not_let_in(connected: Any, installation: Any) -> None:
    clock = installation.transform()
    with pytest.raises(ServerRefusedError):
        publish(
            installation.home,
            installation.settings,
            clock,
            postgres_url=connected(sslmode="disable"),
        )


def test_a_person_is_not_given_the_publishers_own_certificate() -> None:
    url = "postgresql://w:s@db/kpi?sslmode=verify-full&sslrootcert=/etc/ca.crt&sslkey=/k&sslcert=/c"
    assert Login.parse(url).url == url.replace("@db/", "@db:5432/")
    assert Login.parse(url).for_another(READER).url == (
        "postgresql://kpi_reader@db:5432/kpi?sslmode=verify-full&sslrootcert=/etc/ca.crt"
    )
