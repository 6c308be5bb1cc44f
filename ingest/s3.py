"""A bucket of S3, or of a storage that speaks its protocol, through s3fs; errors say what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.connections import Connection
from ingest.errors import Refused, Transient

TRIES = 5
_CONNECT_SECONDS, _READ_SECONDS = 10, 60
# What an error of the protocol means that is not the storage's passing trouble.
_WRONG_PLACE = {
    "NoSuchBucket": "make the bucket, or correct landing.url",
    "InvalidBucketName": "correct the bucket's name in landing.url",
    "PermanentRedirect": "name the bucket's region in the connection's extra, as region_name",
    "AuthorizationHeaderMalformed": "name the bucket's region in the connection's extra, as "
    "region_name",
    "IllegalLocationConstraintException": "name the bucket's region in the connection's extra, as "
    "region_name",
    "NotImplemented": "use a storage that knows conditional writes (If-None-Match)",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a list tells of it: its key below the prefix asked for, its size, its tag."""

    key: str
    size: int
    tag: str


class Bucket:
    """The objects below `prefix` of one bucket, by keys relative to it.

    Whatever the storage answers to a wrong key, a missing right, bucket or region is Refused with
    its next step; what may pass is Transient. A missing object is a FileNotFoundError.
    """

    def __init__(self, url: str, connection: Connection | None) -> None:
        """`connection`: None for what the machine itself has (a role, AWS' own variables)."""
        self.url = url.rstrip("/")
        self._bucket, _, prefix = self.url.removeprefix("s3://").partition("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._files = _filesystem(connection)

    def objects(self, prefix: str, after: str = "") -> Iterator[Listed]:
        """All objects whose key starts so, in the order of keys; `after`: those behind a folder."""
        # All that is in a folder comes before its name with what follows the slash in ASCII.
        asked: dict[str, Any] = {"StartAfter": f"{self._prefix}{prefix}{after}0"} if after else {}
        for page in self._pages(prefix, **asked):
            for each in page.get("Contents", ()):
                key = str(each["Key"])[len(self._prefix) + len(prefix) :]
                yield Listed(key, int(each["Size"]), str(each["ETag"]).strip('"'))

    def inner(self, prefix: str) -> list[str]:
        """The names of the folders right below a prefix that ends with a slash, or is empty."""
        start = len(self._prefix) + len(prefix)
        return [
            str(each["Prefix"])[start:-1]
            for page in self._pages(prefix, Delimiter="/")
            for each in page.get("CommonPrefixes") or ()
        ]

    def find(self, key: str) -> Listed | None:
        """One object, by a list: to a question for one object a missing bucket is a missing one."""
        [page] = self._pages(key, MaxKeys=1, is_first=True)
        for each in page.get("Contents", ()):
            if each["Key"] == self._prefix + key:
                return Listed(key, int(each["Size"]), str(each["ETag"]).strip('"'))
        return None

    def read(self, key: str) -> bytes:
        with self._told():
            return bytes(self._files.cat_file(self._at(key), max_concurrency=1))

    def write(self, key: str, content: bytes) -> None:
        with self._told():
            self._files.pipe_file(self._at(key), content)

    def write_new(self, key: str, content: bytes) -> bool:
        """Put an object where there is none (If-None-Match); False where another one is there."""
        for _ in range(TRIES):
            try:
                with self._told():
                    self._files.pipe_file(self._at(key), content, mode="create")
            except FileExistsError:
                pass
            else:
                return True
            try:  # ours, of a request whose answer was lost and that was sent again?
                return self.read(key) == content
            except FileNotFoundError:
                continue
        raise Transient(f"{self.url}: {key} was written by another at the same moment")

    def fetch(self, keys: Sequence[str], to: Sequence[Path]) -> None:
        """Objects into files, several at once."""
        with self._told():
            self._files.get([self._at(key) for key in keys], [str(path) for path in to])

    def send(self, path: Path, key: str) -> None:
        with self._told():
            self._files.put_file(str(path), self._at(key))

    def remove(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._call("delete_object", Key=self._prefix + key)

    def drop_unfinished(self, prefix: str, before: datetime) -> None:
        """Drop uploads in parts that were begun and never finished: nobody sees them, all pay."""
        found = self._call("list_multipart_uploads", Prefix=self._prefix + prefix)
        for each in found.get("Uploads") or ():
            if each["Initiated"] < before:
                self._call("abort_multipart_upload", Key=each["Key"], UploadId=each["UploadId"])

    def try_out(self, trial: str) -> None:
        """Write, read, list and remove an object as landing does. Raises Refused or Transient, also
        where the storage writes over what it was told not to."""
        key = f".trial-{trial}"
        self.write(key, b"one")
        try:
            is_kept = not self.write_new(key, b"other") and self.read(key) == b"one"
            is_listed = self.find(key) is not None
        finally:
            self.remove([key])
        if not (is_kept and is_listed):
            raise Refused(
                f"{self.url}: the storage does not keep to If-None-Match: two runs could write one"
                " batch",
                "use a storage that knows conditional writes",
            )

    def _pages(self, prefix: str, *, is_first: bool = False, **asked: Any) -> Iterator[Any]:
        while True:
            page = self._call("list_objects_v2", Prefix=self._prefix + prefix, **asked)
            yield page
            if is_first or not page.get("IsTruncated"):
                return
            asked.pop("StartAfter", None)
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def _call(self, method: str, **asked: Any) -> Any:
        with self._told():
            return self._files.call_s3(method, Bucket=self._bucket, **asked)

    def _at(self, key: str) -> str:
        return f"{self._bucket}/{self._prefix}{key}"

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What went wrong with the storage, by what to do; trouble of this machine passes."""
        from aiohttp import ClientError as HttpError
        from botocore.exceptions import BotoCoreError, NoCredentialsError

        where = self.url
        try:
            yield
        except (NoCredentialsError, PermissionError) as error:
            if isinstance(error, PermissionError) and _code(error) is None:
                raise  # of a local file
            raise Refused(
                f"{where}: {_words(error)}",
                "give landing's connection a key that may list, read, write and delete there",
            ) from None
        except (BotoCoreError, HttpError, ConnectionError, TimeoutError) as error:
            raise Transient(f"{where}: {_words(error)}", "see that the storage answers") from None
        except OSError as error:
            code = _code(error)
            if code in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise FileExistsError(_words(error)) from None
            if code in _WRONG_PLACE:
                raise Refused(f"{where}: {_words(error)}", _WRONG_PLACE[code]) from None
            if code is None or isinstance(error, FileNotFoundError | FileExistsError):
                raise
            raise Transient(f"{where}: {code}: {_words(error)}") from None


def _filesystem(connection: Connection | None) -> Any:
    try:
        import s3fs
    except ImportError:
        raise Refused(
            "landing.url names s3://, and s3fs is not installed",
            "pip install 'boscard[production]'",
        ) from None
    given: dict[str, Any] = {}
    extra = {**connection.extra} if connection else {}
    if connection and connection.login:
        given = {"key": connection.login, "secret": connection.password}
        given["token"] = extra.get("aws_session_token")
    region = extra.get("region_name")
    return s3fs.S3FileSystem(
        **given,
        endpoint_url=extra.get("endpoint_url") or None,
        client_kwargs={"region_name": region} if region else {},
        config_kwargs={"connect_timeout": _CONNECT_SECONDS, "read_timeout": _READ_SECONDS},
        use_listings_cache=False,
    )


def _code(error: BaseException) -> str | None:
    """The protocol's word for an error of the storage; None for one of this machine."""
    answer = getattr(error.__cause__, "response", None)
    return str(answer["Error"].get("Code")) if answer else None


def _words(error: BaseException) -> str:
    """What was said, without the query of a URL."""
    words = str(error).partition("?")[0].replace('"', "").strip().rstrip(".")
    return words or type(error).__name__
