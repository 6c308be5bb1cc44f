"""TLS for tests: an authority of our own, and a terminator before a server that has none."""

from __future__ import annotations

import datetime
import ipaddress
import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

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


@contextmanager
def terminated(port: int, authority: Authority, folder: Path) -> Iterator[Terminator]:
    """The server at this port of 127.0.0.1, reached by TLS; its key and certificate in `folder`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certify(folder))
    one = Terminator(port, context)
    threading.Thread(target=one.serve, daemon=True).start()
    with closing(one.listening):
        yield one
