"""A file is there whole or not at all, and nothing of a killed writer stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from boscard.atomic import replacing, write_whole


def test_what_a_killed_writer_left_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    (tmp_path / ".report.json.part").write_bytes(b"half of a long")
    write_whole(path, b"whole")
    assert path.read_bytes() == b"whole"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_that_fails_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), replacing(path) as part:
        part.write_text(b"half")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
