"""Where the key of personal columns' hashes comes from."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from boscard.hash_key import hash_key
from boscard.home import PROJECT, Home
from boscard.made_secrets import made_once
from boscard.settings import SettingsError, read_settings

VARIABLE = "AIRFLOW_CONN_BOSCARD_HASH_KEY"
LONG = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path / "var")


@pytest.fixture
def settings():
    def settings(*, sandbox: bool):
        found = read_settings(PROJECT / "boscard.toml")
        wanted = found.sandbox.model_copy(update={"enabled": sandbox})
        return found.model_copy(update={"sandbox": wanted})

    return settings


@pytest.fixture(autouse=True)
def _no_key(monkeypatch, tmp_path):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))


def test_the_sandbox_makes_one_and_keeps_it(home, settings):
    made = hash_key(home, settings(sandbox=True))
    assert len(made.value) >= 32
    assert hash_key(home, settings(sandbox=True)) == made
    assert home.hash_key.stat().st_mode & 0o777 == 0o600
    assert home.hash_key.parent.stat().st_mode & 0o777 == 0o700
    assert hash_key(Home(home.root / "other"), settings(sandbox=True)) != made


@pytest.mark.parametrize("sandbox", [True, False], ids=["sandbox", "real accounts"])
def test_a_connection_is_taken_where_there_is_one(home, settings, monkeypatch, sandbox):
    monkeypatch.setenv(VARIABLE, json.dumps({"conn_type": "generic", "password": LONG}))
    assert hash_key(home, settings(sandbox=sandbox)).value == LONG.encode()
    assert not home.hash_key.exists()


def test_real_accounts_need_the_connection(home, settings):
    with pytest.raises(SettingsError, match=VARIABLE):
        hash_key(home, settings(sandbox=False))
    assert not home.hash_key.exists()


@pytest.mark.parametrize("password", ["", LONG[1:]], ids=["empty", "too short"])
def test_a_key_that_can_be_tried_out_is_refused(home, settings, monkeypatch, password):
    monkeypatch.setenv(VARIABLE, json.dumps({"conn_type": "generic", "password": password}))
    with pytest.raises(SettingsError, match="32 characters") as refused:
        hash_key(home, settings(sandbox=False))
    assert not password or password not in str(refused.value)


def test_a_made_secret_is_one_for_all(tmp_path):
    path = tmp_path / "secrets" / "one"
    made = iter(range(100))
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: made_once(path, lambda: f"s{next(made)}"), range(32)))
    assert found == {path.read_text()}
    assert [left.name for left in path.parent.iterdir()] == ["one"]
