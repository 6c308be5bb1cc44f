"""A folder of landing in object storage: objects whose keys begin with its name.

A batch is put there without any rename: its objects, and its manifest last. What is read or changed
is fetched into a folder of this disk meanwhile, for DuckDB reads files there.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from boscard.atomic import write_whole
from boscard.made_secrets import made_once
from ingest.batch import CALLS, MANIFEST, ROWS, VERDICT
from ingest.s3 import Bucket
from ingest.store import locked_there, unheld

CLAIMED = ".claimed"
# Read each night of every batch, and hardly ever changed: kept on this disk by their tags.
_REMEMBERED = (MANIFEST, VERDICT)
_UNFINISHED_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Storage:
    """A bucket and the folder of this disk that serves it: locks, drafts, what is fetched."""

    bucket: Bucket
    scratch: Path

    @property
    def remembered(self) -> Path:
        return self.scratch / "remembered"

    def writer(self) -> bytes:
        """By what this installation's claims are known from those of another one."""
        return made_once(self.scratch / "writer", lambda: secrets.token_hex(16)).encode()


@dataclass(frozen=True, slots=True)
class S3Folder:
    """`key`: "" for landing itself. `tags`: the files in it and their tags, as a list told of them
    a moment ago; None where nobody has listed it."""

    storage: Storage = field(repr=False)
    key: str = ""
    tags: Mapping[str, str] | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.storage.bucket.url}/{self.key}".rstrip("/")

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def path(self) -> Path:
        return self.storage.scratch / "at_hand" / self.key

    def __truediv__(self, name: str) -> S3Folder:
        return S3Folder(self.storage, f"{self.inside}{name}")

    def unlisted(self) -> S3Folder:
        return replace(self, tags=None)

    def folders(self) -> list[str]:
        return self._bucket.inner(self.inside)

    def files(self) -> list[str]:
        return sorted(self.listed())

    def holding(
        self, file: str, wanted: Callable[[str], bool] | None = None, after: str = ""
    ) -> list[S3Folder]:
        if wanted is not None:
            few = [self / name for name in self.folders() if name > after and wanted(name)]
            found = {folder.name: folder.listed() for folder in few}
        else:
            found = self._inner_tags(after)
        return [replace(self / name, tags=tags) for name, tags in found.items() if file in tags]

    def documents(self, suffix: str) -> Iterator[tuple[str, bytes]]:
        for each in self._bucket.objects(self.inside):
            if each.key.endswith(suffix):
                yield f"{self}/{each.key}", self._bucket.read(self.inside + each.key)

    def has(self, name: str) -> bool:
        if self.tags is not None:
            return name in self.tags
        return self._bucket.find(self.inside + name) is not None

    def size(self, name: str) -> int:
        found = self._bucket.find(self.inside + name)
        return found.size if found else 0

    def read(self, name: str) -> bytes:
        tag = (self.tags or {}).get(name)
        if tag is None or name not in _REMEMBERED:
            return self._bucket.read(self.inside + name)
        kept = self.storage.remembered / self.key / f"{name}.{tag}"
        try:
            return kept.read_bytes()
        except FileNotFoundError:
            content = self._bucket.read(self.inside + name)
        with locked_there(kept.parent):
            for former in kept.parent.glob(f"{name}.*"):
                former.unlink()
            write_whole(kept, content)
        return content

    def write(self, name: str, content: bytes) -> None:
        self._bucket.write(self.inside + name, content)

    def remove(self, name: str) -> None:
        self._bucket.remove([self.inside + name])

    @contextmanager
    def reading(self, *names: str) -> Iterator[None]:
        with self._at_hand(names):
            yield

    @contextmanager
    def changing(self, needs: Sequence[str], makes: Sequence[str]) -> Iterator[None]:
        with self._at_hand(needs):
            before = {name: _state(self.path / name) for name in makes}
            yield
            there = set(self.listed())
            for name in makes:
                state = _state(self.path / name)
                if state is None and name in there:
                    self.remove(name)
                elif state is not None and state != before[name]:
                    self._bucket.send(self.path / name, self.inside + name)

    def try_out(self) -> None:
        self._bucket.try_out(secrets.token_hex(8))

    def claim(self, number: int) -> bool:
        """The number is this writer's while the claim stands, and nobody else's batch has it.

        A claim of this installation is one that a killed run left, for it holds the lock.
        """
        claim = f"{self.inside}{CLAIMED}/{number:06d}"
        if not self._bucket.write_new(claim, self.storage.writer()):
            return False
        taken = [each.key for each in self._bucket.objects(f"{self.inside}{number:06d}_")]
        if any(key.endswith(f"/{MANIFEST}") for key in taken):
            self._bucket.remove([claim])
            return False
        return True

    def place(self, draft: Path, name: str, manifest: bytes) -> bool:
        folder = self / name
        for file in (ROWS, CALLS):
            self._bucket.send(draft / file, folder.inside + file)
        is_placed = self._bucket.write_new(folder.inside + MANIFEST, manifest)
        self._bucket.remove([f"{self.inside}{CLAIMED}/{name.partition('_')[0]}"])
        return is_placed

    def remove_left_behind(self) -> None:
        """And what another installation is at right now stays: its claim says so."""
        if self.path.exists():
            for left in unheld(path for path in self.path.iterdir() if path.is_dir()):
                shutil.rmtree(left)
        found = self._inner_tags()
        claims = found.pop(CLAIMED, {})
        for number in claims:
            claim = f"{self.inside}{CLAIMED}/{number}"
            if self._bucket.read(claim) == self.storage.writer():
                self._bucket.remove([claim])
            else:
                found = {n: files for n, files in found.items() if not n.startswith(f"{number}_")}
        for name, files in found.items():
            if MANIFEST not in files:
                self._bucket.remove([f"{(self / name).inside}{file}" for file in files])
        self._bucket.drop_unfinished(self.inside, datetime.now(UTC) - _UNFINISHED_AFTER)

    @property
    def _bucket(self) -> Bucket:
        return self.storage.bucket

    @property
    def inside(self) -> str:
        """How the keys of what is in it begin."""
        return f"{self.key}/" if self.key else ""

    def listed(self) -> dict[str, str]:
        """The files right in it, with their tags."""
        found = self._bucket.objects(self.inside)
        return {each.key: each.tag for each in found if "/" not in each.key}

    def _inner_tags(self, after: str = "") -> dict[str, dict[str, str]]:
        """The files of each folder in it whose name comes after `after`, with their tags."""
        found: dict[str, dict[str, str]] = {}
        for each in self._bucket.objects(self.inside, after):
            folder, _, file = each.key.partition("/")
            if file and "/" not in file and folder > after:
                found.setdefault(folder, {})[file] = each.tag
        return found

    @contextmanager
    def _at_hand(self, names: Sequence[str]) -> Iterator[None]:
        """These files below `path`, for one process at a time, and nothing there afterwards."""
        with locked_there(self.path):
            for left in self.path.iterdir():  # of one that was killed
                left.unlink()
            try:
                listed = self.listed()
                there = [name for name in names if name in listed]
                fetched = [self.path / name for name in there]
                self._bucket.fetch([self.inside + name for name in there], fetched)
                for path in fetched:
                    path.chmod(0o600)
                yield
            finally:
                shutil.rmtree(self.path, ignore_errors=True)


def _state(path: Path) -> tuple[int, int, int] | None:
    """By what a file is known from one that took its place."""
    try:
        seen = path.stat()
    except FileNotFoundError:
        return None
    return seen.st_size, seen.st_mtime_ns, seen.st_ino
