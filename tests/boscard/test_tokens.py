"""Token stores in Airflow: tasks and command lines of one home refresh one after the other."""

from __future__ import annotations

import fcntl

import pytest

from boscard.tokens import DatabaseTokens, VariableTokens


@pytest.mark.parametrize("store", [VariableTokens, DatabaseTokens])
def test_a_refresh_is_locked_below_the_home(store, tmp_path, monkeypatch):
    monkeypatch.setenv("BOSCARD_HOME", str(tmp_path))
    path = tmp_path / "tokens/survey.lock"
    with store().alone("survey"), path.open() as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with path.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
