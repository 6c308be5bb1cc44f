"""Roles and databases of a server: each role enters its own database and no other."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from publish.embedded import ADMIN, Embedded
from publish.login import Login
from publish.roles import admit_reader, prepare_database


def role(server: Embedded, name: str, database: str) -> Login:
    admin = server.login(ADMIN)
    return replace(admin, user=name, database=database, password=secrets.token_urlsafe(12))


@pytest.fixture(scope="module")
def logins(server: Embedded) -> dict[str, Login]:
    """Two applications' owners, and a reader of the first one's database."""
    admin = server.login(ADMIN)
    logins = {
        "writer": role(server, "roles_writer", "roles_kpi"),
        "reader": role(server, "roles_reader", "roles_kpi"),
        "airflow": role(server, "roles_airflow", "roles_airflow"),
    }
    prepare_database(admin, logins["writer"])
    admit_reader(admin, logins["reader"])
    prepare_database(admin, logins["airflow"])
    return logins


@pytest.fixture
def statements_logged(server: Embedded) -> Iterator[None]:
    with psycopg.connect(server.login(ADMIN).url, autocommit=True) as connection:
        connection.execute(f"alter role {ADMIN} set log_statement = 'all'")
        yield
        connection.execute(f"alter role {ADMIN} reset log_statement")


@pytest.mark.parametrize(
    ("who", "where", "may_enter"),
    [
        ("writer", "roles_kpi", True),
        ("reader", "roles_kpi", True),
        ("airflow", "roles_airflow", True),
        ("airflow", "roles_kpi", False),
        ("writer", "roles_airflow", False),
        ("reader", "roles_airflow", False),
        ("reader", "postgres", False),
        ("airflow", "postgres", False),
        ("airflow", "template1", False),
    ],
)
def test_each_enters_its_own_database_only(logins, who, where, may_enter):
    url = replace(logins[who], database=where).url
    if may_enter:
        psycopg.connect(url).close()
    else:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(url)


@pytest.mark.parametrize(
    ("who", "statement", "may"),
    [
        ("writer", "create schema kpi", True),
        ("airflow", "create table public.job (id int)", True),
        ("reader", "create schema mine", False),
        ("reader", "create table public.mine (id int)", False),
        ("reader", "create temp table mine (id int)", False),
        ("reader", "select lo_create(0)", False),
        ("writer", "create role other", False),
        ("airflow", "create database other", False),
    ],
)
def test_each_may_do_only_what_it_needs(logins, who, statement, may):
    with psycopg.connect(logins[who].url, autocommit=True) as connection:
        if may:
            connection.execute(statement)
        else:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_again_changes_the_password_and_keeps_the_rest(server, logins):
    admin = server.login(ADMIN)
    with psycopg.connect(logins["writer"].url) as connection:
        connection.execute("create table kept (id int)")
    anew = replace(logins["writer"], password="another one")
    prepare_database(admin, anew)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(logins["writer"].url)
    with psycopg.connect(anew.url) as connection:
        connection.execute("drop table kept")
    prepare_database(admin, logins["writer"])


@pytest.mark.usefixtures("statements_logged")
def test_no_password_reaches_the_server_log(server):
    login = role(server, "roles_logged", "roles_logged")
    prepare_database(server.login(ADMIN), login)
    log = server.log.read_text("utf-8")
    assert "roles_logged" in log
    assert login.password not in log
