"""`make env` makes what docker-compose.yml asks for, once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from boscard.home import PROJECT
from sandbox.connections import connections


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


def write(folder: Path) -> str:
    command = [sys.executable, "-m", "containers.write_env", str(folder)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    return done.stdout


def variables(path: Path) -> dict[str, str]:
    lines = path.read_text("utf-8").splitlines()
    return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines)}


def test_every_required_variable_is_made(folder):
    text = (PROJECT / "docker-compose.yml").read_text("utf-8")
    assert set(re.findall(r"\$\{(\w+):\?", text)) == set(variables(folder / ".env"))


def test_secrets_are_private_long_and_fit_into_urls(folder):
    made = variables(folder / ".env")
    assert len(set(made.values())) == len(made)
    for name, value in made.items():
        assert len(value) >= 24, name
        assert name == "FERNET_KEY" or re.fullmatch(r"[\w-]+", value), name
    Fernet(made["FERNET_KEY"])
    for name in (".env", "connections.env"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600


def test_connections_reach_the_sandbox_inside(folder):
    made = variables(folder / "connections.env")
    for source, connection in connections("http://sandbox:8085").items():
        assert json.loads(made[f"AIRFLOW_CONN_{source.upper()}"]) == connection
    assert len(json.loads(made["AIRFLOW_CONN_BOSCARD_HASH_KEY"])["password"]) >= 32


def test_again_nothing_changes_and_nothing_is_said_aloud(folder):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    said = write(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert said.count("complete") == 2


def test_what_is_lacking_is_added_and_what_a_person_wrote_stays(folder):
    kept = variables(folder / ".env")
    del kept["JWT_SECRET"]
    lines = [f"{name}={value}" for name, value in kept.items()]
    (folder / ".env").write_text("\n".join(lines))  # without a last line's end
    (folder / "connections.env").write_text("AIRFLOW_CONN_HUBSPOT='mine'\n")
    said = write(folder)
    after = variables(folder / ".env")
    assert len(after.pop("JWT_SECRET")) >= 24
    assert after == kept
    tasks = variables(folder / "connections.env")
    assert tasks.keys() == {"AIRFLOW_CONN_HUBSPOT", "AIRFLOW_CONN_BOSCARD_HASH_KEY"}
    assert tasks["AIRFLOW_CONN_HUBSPOT"] == "mine"
    assert "JWT_SECRET" in said
    assert variables(folder / ".env")["JWT_SECRET"] not in said
