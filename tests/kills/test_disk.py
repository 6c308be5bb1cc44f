"""A full disk and a read-only folder are told in plain words, and the step run again is whole."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from publish.contract import View
from publish.login import READER
from tests.kills.conftest import FIRST, SECOND, Bench, copy
from tests.kills.left import files, in_duckdb, in_parquet, in_postgres, landed, loaded
from tests.kills.life import Step

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Case:
    """Steps from an undisturbed home; the first meets files of `largest` bytes, or a disk with
    `free` bytes on it."""

    steps: tuple[Step, ...]
    before: tuple[object, Step]
    largest: int
    free: int

    def __str__(self) -> str:
        return self.steps[0]


CASES = [
    Case(("pull",), (FIRST, "tell"), 300, 4096),
    Case(("gate", "report"), (SECOND, "pull"), 1000, 4096),
    Case(("load",), (SECOND, "report"), 100_000, 4096),
    Case(("publish",), (SECOND, "transform"), 100_000, 400_000),
    Case(("transform",), (SECOND, "load"), 100_000, 400_000),
    Case(("page", "tell"), (SECOND, "publish"), 10_000, 4096),
]
MOUNTING = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None, reason="only root may mount a small disk"
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_room_in_a_file(bench: Bench, views: Sequence[View], case: Case) -> None:
    home = bench.copy(*case.before)
    _check(bench, views, home, case, lambda: None, largest_file=case.largest)


@MOUNTING
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_full_disk(bench: Bench, views: Sequence[View], case: Case, tmp_path: Path) -> None:
    with _small_disk(tmp_path / "disk") as disk:
        home = disk / f"full_{case}"
        copy(bench.home_after(*case.before), home)
        filler = disk / "filler"
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - case.free)
        _check(bench, views, home, case, filler.unlink)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_closed_folder(bench: Bench, views: Sequence[View], case: Case) -> None:
    """By its modes, which needs no disk of its own."""
    home = bench.copy(*case.before)
    paths = [home, *(path for path in home.rglob("*") if not path.is_symlink())]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in paths}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)

    def open_again() -> None:
        for path, mode in modes.items():
            path.chmod(mode)

    _check(bench, views, home, case, open_again, is_bound=True)


@MOUNTING
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_read_only_disk(bench: Bench, views: Sequence[View], case: Case, tmp_path: Path) -> None:
    with _small_disk(tmp_path / "disk") as disk:
        home = disk / f"closed_{case}"
        copy(bench.home_after(*case.before), home)
        _remount(disk, "ro")
        _check(bench, views, home, case, lambda: _remount(disk, "rw"))


def _check(
    bench: Bench,
    views: Sequence[View],
    home: Path,
    case: Case,
    mend: Callable[[], None],
    **how: Any,
) -> None:
    """The steps fail with a word of the disk; after `mend` they are as if nothing had been."""
    database = bench.database(home.name, template="first")
    said = bench.fail(home, case.steps, database=database, **how)
    # dbt and Arrow complain beside it that they cannot write their own logs
    [told] = [line for line in said.splitlines() if "could not write there" in line]
    assert told.startswith(f"{home}: {case.steps[0]} could not write there (")
    assert told.count("Next step: ") == 1
    mend()
    bench.live(home, case.steps, database=database)
    whole = bench.home_after(SECOND, case.steps[-1])
    assert files(home) == files(whole)
    assert landed(home) == landed(whole)
    assert loaded(home) == loaded(whole)
    if case.steps == ("publish",):
        url = bench.url(database, READER)
        places = (in_postgres(url, views), in_duckdb(home, views), in_parquet(home, views))
        assert {place.lasting for place in places} == {in_duckdb(whole, views).lasting}


@contextmanager
def _small_disk(path: Path) -> Iterator[Path]:
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128m", "tmpfs", str(path)], check=False
    )
    if mounted.returncode:
        pytest.skip("this container may not mount a small disk")
    try:
        yield path
    finally:
        subprocess.run(["umount", str(path)], check=True)


def _remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)
