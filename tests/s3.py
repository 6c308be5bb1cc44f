"""An S3 server on loopback, and buckets of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import requests
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from ingest.connections import Connection
from ingest.s3 import Bucket
from ingest.s3_folder import S3Folder, Storage

_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class S3Server:
    """A server that takes any key, until it is told to look."""

    endpoint: str

    def connection(self) -> Connection:
        extra = {"endpoint_url": self.endpoint, "region_name": "us-east-1"}
        return Connection("", "a-key", "a-secret", extra)

    def bucket(self) -> str:
        """The URL of a prefix in a new bucket."""
        name = f"bucket-{next(_NUMBERS)}"
        requests.put(f"{self.endpoint}/{name}", timeout=10).raise_for_status()
        return f"s3://{name}/boscard"

    def landing(self, scratch: Path, url: str | None = None) -> S3Folder:
        """An empty landing, or another installation's view of one."""
        return S3Folder(Storage(Bucket(url or self.bucket(), self.connection()), scratch))

    def keys(self, folder: S3Folder) -> list[str]:
        return [each.key for each in folder.storage.bucket.objects("")]

    @contextmanager
    def looking_at_keys(self) -> Iterator[None]:
        """Whoever comes with a key that the server does not know is turned away meanwhile."""
        self._look("0")
        try:
            yield
        finally:
            self._look("inf")

    def _look(self, after: str) -> None:
        url = f"{self.endpoint}/moto-api/reset-auth"
        requests.post(url, data=after, timeout=10).raise_for_status()


@contextmanager
def serving() -> Iterator[S3Server]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield S3Server(f"http://{host}:{port}")
    finally:
        server.stop()
