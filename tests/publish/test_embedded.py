from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from boscard.home import PROJECT, Home
from publish.embedded import ADMIN, Embedded, EmbeddedPostgresError, _let_go, running
from publish.keeper import is_kept
from publish.login import READER, WRITER, Login


def test_it_runs_for_a_block_and_keeps_port_and_passwords(tmp_path: Path) -> None:
    home = Home(tmp_path / "a clone with spaces, $x and ü")
    urls = []
    for _ in range(2):
        with running(home) as server:
            urls.append(server.login().url)
            with psycopg.connect(urls[-1]) as connection:
                shown = connection.execute("show transaction_isolation").fetchone()
            assert shown == ("repeatable read",)
        assert not server.is_running()
    assert urls[0] == urls[1]


def test_what_somebody_else_started_is_not_stopped(server: Embedded) -> None:
    with running(Home(server.folder.parent)) as same:
        assert same.login() == server.login()
    assert server.is_running()


def test_it_comes_back_after_a_sigkill(tmp_path: Path) -> None:
    server = Embedded(tmp_path / "postgres")
    server.start()
    with psycopg.connect(server.login(WRITER).url) as connection:
        connection.execute("create table kept as select 1 as one")
    os.kill(int((server.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    assert server.start()
    with psycopg.connect(server.login(WRITER).url) as connection:
        assert connection.execute("select one from kept").fetchone() == (1,)
    server.stop()


def test_it_gets_past_a_taken_port_and_an_interrupted_creation(tmp_path: Path) -> None:
    server = Embedded(tmp_path / "postgres")
    half = server.folder / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        (server.folder / "port").write_text(str(other.getsockname()[1]))
        assert server.start()
        assert server.login().port != other.getsockname()[1]
    server.stop()


def test_secrets_are_generated_and_private(server: Embedded) -> None:
    passwords = {role: server.login(role).password for role in (ADMIN, WRITER, READER)}
    assert len(set(passwords.values())) == 3
    files = [server.folder / "port", *(server.folder / "passwords").iterdir()]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert (server.folder / "passwords").stat().st_mode & 0o777 == 0o700
    assert "password=" not in repr(server.login())


@pytest.mark.parametrize("password", ["wrong", None], ids=["a wrong password", "no password"])
def test_nobody_gets_in_without_the_password(server: Embedded, password: str | None) -> None:
    known = server.login()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(Login(known.host, known.port, known.database, known.user, password).url)


def test_it_listens_on_loopback_only(server: Embedded) -> None:
    with psycopg.connect(server.login(ADMIN).url) as connection:
        settings = connection.execute(
            "select current_setting('listen_addresses'),"
            " current_setting('unix_socket_directories'), current_setting('password_encryption')"
        ).fetchone()
    assert settings == ("127.0.0.1", "", "scram-sha-256")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has somebody to become")
def test_as_root_the_server_is_not_root(server: Embedded) -> None:
    pid = int((server.data / "postmaster.pid").read_text().split()[0])
    assert Path(f"/proc/{pid}").stat().st_uid != 0


def test_before_the_first_start_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="publish a night first"):
        Embedded(tmp_path).login()


def test_it_stops_when_its_starter_is_killed(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    program = f"""
import os, signal
from pathlib import Path
from boscard.home import PROJECT, Home
from publish.embedded import running
with running(Home(Path({str(home.root)!r}))):
    os.killpg(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, start_new_session=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    server = Embedded(home.postgres)
    while is_kept(server.folder):
        with server._lock():  # the keeper has it for as long as it stops the server
            pass
    assert not server.is_running()
    assert not (server.data / "postmaster.pid").exists()


def test_a_server_of_a_killed_night_is_taken_over(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    server = Embedded(home.postgres)
    left = server.start_for_a_while()
    assert left is not None
    with running(home):
        _let_go(left)  # too late: the server is somebody else's by now
        assert left.wait() == 0
        assert server.is_running()
    assert not server.is_running()


def test_what_is_started_to_stay_outlives_a_night(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    server = Embedded(home.postgres)
    with running(home):
        assert not server.start()
    assert server.is_running()
    server.stop()
    assert not server.is_running()
