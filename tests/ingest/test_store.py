"""What every folder of landing promises, on a disk and in object storage."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ingest.store import Folder, LocalFolder, working_folder


@pytest.fixture(params=["disk", "s3"])
def folder(request, tmp_path) -> Folder:
    if request.param == "disk":
        return LocalFolder(str(tmp_path / "landing"))
    return request.getfixturevalue("s3_server").landing(tmp_path / "scratch")


def test_a_file_is_written_read_and_removed(folder):
    inner = folder / "a" / "b"
    assert (inner.has("x"), inner.size("x"), inner.files()) == (False, 0, [])
    with pytest.raises(FileNotFoundError):
        inner.read("x")
    inner.write("x", b"one")
    inner.write("x", b"other")
    assert (inner.has("x"), inner.size("x"), inner.read("x")) == (True, 5, b"other")
    inner.remove("x")
    inner.remove("x")
    assert not inner.has("x")


def test_it_knows_what_is_in_it(folder):
    assert folder.folders() == folder.holding("x") == []
    for place in ("a", "b", "ab", "a/deeper"):
        inner = folder
        for part in place.split("/"):
            inner /= part
        inner.write("x", b"")
    (folder / "a").write("y", b"")
    (folder / "c").write("y", b"")
    folder.write("z", b"")
    assert sorted(folder.folders()) == ["a", "ab", "b", "c"]
    assert folder.files() == ["z"]
    assert (folder / "a").files() == ["x", "y"]
    assert sorted(each.name for each in folder.holding("x")) == ["a", "ab", "b"]
    assert [each.name for each in folder.holding("x", lambda name: name in ("b", "c"))] == ["b"]
    assert {where for where, _ in folder.documents("y")} == {f"{folder}/a/y", f"{folder}/c/y"}


def test_what_a_list_told_is_what_is_there(folder):
    (folder / "a").write("x", b"one")
    [listed] = folder.holding("x")
    assert (listed.has("x"), listed.has("y"), listed.read("x")) == (True, False, b"one")
    (folder / "a").write("y", b"")
    assert listed.unlisted().has("y")
    assert listed == folder / "a"


def test_files_can_be_read_where_it_says(folder):
    inner = folder / "a"
    inner.write("x", b"one")
    with inner.reading("x", "never there"):
        assert (inner.path / "x").read_bytes() == b"one"
        assert not (inner.path / "never there").exists()
        assert _modes(inner.path) == {0o600}


def test_files_are_changed_where_it_says(folder):
    inner = folder / "a"
    inner.write("x", b"one")
    inner.write("gone", b"")
    inner.write("stays", b"so")
    with inner.changing(needs=("x", "gone"), makes=("new", "x", "gone")):
        assert (inner.path / "x").read_bytes() == b"one"
        (inner.path / "gone").unlink()
        (inner.path / "x").unlink()
        (inner.path / "x").write_bytes(b"two")
        (inner.path / "new").write_bytes(b"three")
    assert inner.files() == ["new", "stays", "x"]
    assert [inner.read(name) for name in inner.files()] == [b"three", b"so", b"two"]


def _modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_a_working_folder_is_private_and_goes_with_its_block(tmp_path):
    within = tmp_path / "home" / "spilled"
    with working_folder(within) as mine:
        (mine / "part").write_bytes(b"rows")
        assert stat.S_IMODE(mine.stat().st_mode) == stat.S_IMODE(within.stat().st_mode) == 0o700
    assert [*within.iterdir()] == []
    with pytest.raises(ZeroDivisionError), working_folder(within):
        raise ZeroDivisionError
    assert [*within.iterdir()] == []


def test_what_a_killed_process_left_of_its_working_folder_goes_and_a_living_one_stays(tmp_path):
    left = tmp_path / "killed"
    left.mkdir()
    (left / "part").write_bytes(b"rows")
    with working_folder(tmp_path) as living, working_folder(tmp_path) as mine:
        assert {*tmp_path.iterdir()} == {living, mine}
