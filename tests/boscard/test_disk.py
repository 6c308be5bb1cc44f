"""Errors of a full disk or a closed folder become words; all others stay what they are."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from boscard.cli import main
from boscard.disk import REMEDIES, CannotWrite, probe, writing
from ingest.errors import Refused


@pytest.mark.parametrize("code", REMEDIES, ids=errno.errorcode.get)
@pytest.mark.parametrize("kind", [OSError, duckdb.IOException])
def test_it_is_told(tmp_path: Path, code: int, kind: type[Exception]) -> None:
    words = os.strerror(code)
    error = OSError(code, words) if kind is OSError else kind(f'IO Error: "a file": {words}\nmore')
    with pytest.raises(CannotWrite) as told, writing(tmp_path, "load"):
        raise error
    said = str(told.value)
    assert said.startswith(f"{tmp_path}: load could not write there (")
    assert words in said
    assert f"Next step: {REMEDIES[code]}" in said


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)),
        duckdb.ConversionException("Could not convert string 'n/a' to INT64"),
        Refused("Permission denied", "ask the account's owner"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_other_errors_pass(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)), writing(tmp_path, "load"):
        raise error


def test_a_trial_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "var"
    probe(home)
    assert list(home.iterdir()) == []


def test_a_night_on_a_full_disk_ends_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setenv("BOSCARD_HOME", str(tmp_path / "var"))
    monkeypatch.setattr(Path, "write_bytes", full)
    done = CliRunner().invoke(main, ["nightly"])
    assert done.exit_code == 1
    assert f"Error: {tmp_path / 'var'}: a trial could not write there" in done.output
    assert "make room there" in done.output
    assert "Traceback" not in done.output


def test_a_home_that_is_closed_ends_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setenv("BOSCARD_HOME", str(tmp_path / "var"))
    monkeypatch.setattr(Path, "mkdir", closed)
    done = CliRunner().invoke(main, ["up"])
    assert done.exit_code == 1
    assert f"Error: {tmp_path / 'var'}: up could not write there" in done.output
    assert "make that disk writable" in done.output
