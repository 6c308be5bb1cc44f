"""What a night makes of a DAG that ran in a process of its own, and shows of it meanwhile."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from boscard.nightly import _outcome, _show_progress


def test_the_tasks_that_failed_are_told(tmp_path):
    tasks = {"load": ["success"], "pull": ["success", "failed"], "page": ["upstream_failed"]}
    written = json.dumps({"state": "failed", "tasks": tasks})
    (tmp_path / "scorecard.json").write_text(written)
    found = _outcome("scorecard", 0, tmp_path)
    assert (found.state, found.failed_tasks) == ("failed", ("pull",))


@pytest.mark.parametrize("has_written", [True, False])
def test_a_process_that_broke_down_has_crashed_whatever_it_wrote(tmp_path, has_written):
    if has_written:
        (tmp_path / "scorecard.json").write_text('{"state": "success", "tasks": {}}')
    assert _outcome("scorecard", int(has_written), tmp_path).state == "crashed"


def test_progress_is_shown_once_and_in_whole_lines(tmp_path):
    path, out = tmp_path / "progress", io.StringIO()
    console = Console(file=out)
    path.write_text("load: 2\nhal")
    seen = _show_progress(path, 0, console)
    path.write_text("load: 2\nhalf [of it]\n")
    assert _show_progress(path, seen, console) == len("load: 2\nhalf [of it]\n")
    assert out.getvalue() == "  load: 2\n  half [of it]\n"
