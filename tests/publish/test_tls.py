"""TLS to a Postgres of one's own: what the connection asks for is what publisher and reader do.

The embedded server speaks no TLS, so a terminator with a certificate of our own stands before it.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from boscard.connections import read_postgres_url
from publish.connection import ServerRefusedError
from publish.login import READER, Login
from publish.postgres import transaction
from publish.publication import publish
from publish.url import reader_url

WANTS_TLS = struct.pack("!ii", 8, 80_877_103)  # Postgres: SSLRequest


@dataclass(frozen=True, slots=True)
class Authority:
    """Somebody who signs certificates; `file` is what others trust it by."""

    file: Path
    key: ec.EllipticCurvePrivateKey
    name: x509.Name

    @classmethod
    def make(cls, folder: Path, called: str) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, called)])
        own = _certificate(name, name, key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        file = folder / f"{called}.crt"
        file.write_bytes(own.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        return cls(file, key, name)

    def certify(self, folder: Path) -> Path:
        """Key and certificate of a server that is reached at 127.0.0.1, in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a server")])
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        signed = (
            _certificate(name, self.name, key.public_key())
            .add_extension(here, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        file = folder / "server.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + signed.public_bytes(serialization.Encoding.PEM)
        )
        return file


def _certificate(name: x509.Name, issuer: x509.Name, key: Any) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=name,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - datetime.timedelta(days=1),
        not_valid_after=now + datetime.timedelta(days=1),
    )


@dataclass
class Terminator:
    """Takes TLS sessions for a server behind it, and refuses plain ones."""

    behind: int
    context: ssl.SSLContext
    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    sessions: int = 0

    @property
    def port(self) -> int:
        return int(self.listening.getsockname()[1])

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._session, args=(client,), daemon=True).start()

    def _session(self, plain: socket.socket) -> None:
        with plain:
            if plain.recv(8) != WANTS_TLS:
                return
            plain.sendall(b"S")
            try:
                inside = self.context.wrap_socket(plain, server_side=True)
            except (ssl.SSLError, OSError):
                return
            self.sessions += 1
            with inside, socket.create_connection(("127.0.0.1", self.behind)) as server:
                _pass_on(inside, server)


def _pass_on(inside: ssl.SSLSocket, server: socket.socket) -> None:
    while True:
        ready = [inside] if inside.pending() else select.select([inside, server], [], [])[0]
        for one in ready:
            try:
                content = one.recv(65_536)
            except OSError:
                return
            if not content:
                return
            (server if one is inside else inside).sendall(content)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("trusted"), "our authority")


@pytest.fixture
def tls(database: Any, authority: Authority, tmp_path: Path) -> Iterator[Terminator]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certify(tmp_path))
    one = Terminator(Login.parse(database.writer).port, context)
    threading.Thread(target=one.serve, daemon=True).start()
    with closing(one.listening):
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
