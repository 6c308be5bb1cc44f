"""Where landing lies: a folder of this machine's disk, or one in object storage (ingest.s3_folder).

All who read or write beside a batch do it through a Folder, so that they need not know which.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from boscard.atomic import locked, write_whole
from ingest.batch import MANIFEST


class Folder(Protocol):
    """A folder of landing; str() says where it is. A file in it is there whole or not at all."""

    @property
    def name(self) -> str: ...

    @property
    def path(self) -> Path:
        """On this disk: the folder itself, or where its files are put by `reading` and `changing`,
        where drafts are made, and what is locked."""

    def __truediv__(self, name: str) -> Self: ...

    def unlisted(self) -> Self:
        """The same, its files asked for anew and not remembered from a list."""

    def folders(self) -> list[str]:
        """The names of the folders in it, in no order; nothing where it is not there."""

    def files(self) -> list[str]:
        """The names of the files in it, in order."""

    def holding(
        self, file: str, wanted: Callable[[str], bool] | None = None, after: str = ""
    ) -> list[Self]:
        """The folders in it that hold such a file; `wanted`: only few of them, by name; `after`:
        those whose name comes after this one's."""

    def documents(self, suffix: str) -> Iterator[tuple[str, bytes]]:
        """The files in it, at any depth, that end so: where each is, and what is in it."""

    def has(self, name: str) -> bool: ...

    def size(self, name: str) -> int:
        """The bytes of a file, 0 where it is not there."""

    def read(self, name: str) -> bytes:
        """Raises FileNotFoundError."""

    def write(self, name: str, content: bytes) -> None:
        """Put a whole private file in place; the folder is made where there is none."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def reading(self, *names: str) -> AbstractContextManager[None]:
        """In the block, those of these files that there are can be read below `path`."""

    def changing(self, needs: Sequence[str], makes: Sequence[str]) -> AbstractContextManager[None]:
        """In the block nobody else of this installation changes the folder; `needs` are read below
        `path`, `makes` are written or removed there, and count in that order when it ends well."""

    def try_out(self) -> None:
        """Raises where what landing needs does not work there."""

    def claim(self, number: int) -> bool:
        """Whether the batch in the making gets this place in the stream's sequence. The caller
        holds the lock of `path`."""

    def place(self, draft: Path, name: str, manifest: bytes) -> bool:
        """Make a folder `name` of a draft's files; it is there from when its manifest is, which
        comes last. False where another one is there. The caller holds the lock of `path`."""

    def remove_left_behind(self) -> None:
        """Remove what killed runs left of a stream: batches without a manifest, drafts that nobody
        holds. The caller holds the lock of `path`."""


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A folder on this machine's disk, open to its owner only."""

    where: str

    def __str__(self) -> str:
        return self.where

    @property
    def name(self) -> str:
        return self.where.rpartition("/")[2]

    @property
    def path(self) -> Path:
        return Path(self.where)

    def __truediv__(self, name: str) -> LocalFolder:
        return LocalFolder(f"{self.where}/{name}")

    def unlisted(self) -> LocalFolder:
        return self

    def folders(self) -> list[str]:
        return [each.name for each in self._entries() if each.is_dir()]

    def files(self) -> list[str]:
        return sorted(each.name for each in self._entries() if each.is_file())

    def holding(
        self, file: str, wanted: Callable[[str], bool] | None = None, after: str = ""
    ) -> list[LocalFolder]:
        return [
            LocalFolder(each.path)
            for each in self._entries()
            if each.name > after
            and (wanted is None or wanted(each.name))
            and each.is_dir()
            and os.path.exists(f"{each.path}/{file}")  # noqa: PTH110 - a Path costs more
        ]

    def documents(self, suffix: str) -> Iterator[tuple[str, bytes]]:
        for path in sorted(self.path.rglob(f"*{suffix}")):
            yield str(path), path.read_bytes()

    def has(self, name: str) -> bool:
        return os.path.exists(f"{self.where}/{name}")  # noqa: PTH110 - a Path costs more

    def size(self, name: str) -> int:
        try:
            return (self.path / name).stat().st_size
        except FileNotFoundError:
            return 0

    def read(self, name: str) -> bytes:
        with open(f"{self.where}/{name}", "rb") as file:  # noqa: PTH123 - a Path costs more
            return file.read()

    def write(self, name: str, content: bytes) -> None:
        make_private(self.path)
        write_whole(self.path / name, content)

    def remove(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)

    def reading(self, *names: str) -> AbstractContextManager[None]:
        return nullcontext()

    def changing(self, needs: Sequence[str], makes: Sequence[str]) -> AbstractContextManager[None]:
        return locked(self.path)

    def try_out(self) -> None:
        make_private(self.path)

    def claim(self, number: int) -> bool:
        return True

    def place(self, draft: Path, name: str, manifest: bytes) -> bool:
        # What a killed run left has no lower number: a whole batch would have taken it since.
        self._remove_left_behind(since=name.partition("_")[0])
        final = self.path / name
        draft.rename(final)
        part = final / f".{MANIFEST}"
        write_private(part, manifest)
        part.rename(final / MANIFEST)
        sync_path(final)
        sync_path(self.path)
        return True

    def remove_left_behind(self) -> None:
        self._remove_left_behind(since="")

    def _remove_left_behind(self, since: str) -> None:
        for name in self.folders():
            is_half = name[0].isdigit() and name >= since and not (self / name).has(MANIFEST)
            if is_half or (name.startswith(".pulling_") and unheld([self.path / name])):
                shutil.rmtree(self.path / name)

    def _entries(self) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(self.where) as entries:
                yield from entries
        except FileNotFoundError:
            return


def unheld(folders: Iterable[Path]) -> list[Path]:
    """Those of these folders whose lock nobody holds."""
    return [folder for folder in folders if not _is_held(folder)]


def _is_held(path: Path) -> bool:
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, open to their owner only."""
    if not folder.parent.exists():
        make_private(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def create_private(path: Path) -> Any:
    """A new file to write, mode 0600 whatever the umask."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def write_private(path: Path, content: bytes) -> None:
    """A new file in the place of an old one, on the disk when this returns."""
    path.unlink(missing_ok=True)
    with create_private(path) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_path(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_unheld(within: Path) -> None:
    """Remove the working folders of processes that were killed."""
    with locked_there(within):
        for left in unheld(within.iterdir()):
            shutil.rmtree(left)


@contextmanager
def working_folder(within: Path) -> Iterator[Path]:
    """A private folder in `within`, there as long as the block; what killed processes left of
    theirs is removed first."""
    remove_unheld(within)
    with locked_there(within):
        made = Path(tempfile.mkdtemp(dir=within))
        handle = os.open(made, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield made
    finally:
        with locked(within):
            shutil.rmtree(made, ignore_errors=True)
        os.close(handle)


@contextmanager
def locked_there(folder: Path) -> Iterator[None]:
    """Make a folder and hold its lock; one that was removed while this waited is made again."""
    while True:
        make_private(folder)
        try:
            handle = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if folder.exists() and folder.stat().st_ino == os.fstat(handle).st_ino:
                yield
                return
        finally:
            os.close(handle)
