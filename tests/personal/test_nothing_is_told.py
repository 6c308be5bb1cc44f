"""A night leaves no secret and, outside the vault, nothing of a person anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sqlite3
from pathlib import Path
from urllib.parse import quote

import duckdb
import psycopg
import pyarrow as pa
import pytest

from boscard.home import Home
from publish.embedded import running
from publish.login import WRITER
from sandbox.connections import connections
from tests.personal.conftest import MARK, Lived
from tests.personal.told import PERSONAL, personal_values, standing
from tests.personal.written import VAULT, Piece, any_of, everything_written, found

MARKED = re.compile(re.escape(MARK.encode()), re.IGNORECASE)


@pytest.fixture(scope="module")
def pieces(lived: Lived) -> list[Piece]:
    return list(everything_written(lived.installation.home))


@pytest.fixture(scope="module")
def secrets(lived: Lived) -> set[str]:
    """What vendors gave and what people put into connections."""
    known = set(lived.tokens)
    for connection in connections(lived.installation.base_url).values():
        known |= {connection["password"], connection["extra"]["refresh_token"]}
    return known | {quote(secret, safe="") for secret in known}


@pytest.fixture(scope="module")
def made(lived: Lived) -> dict[str, str]:
    """The secrets that the installation made for itself, by the only place of each."""
    root = lived.installation.home.root
    files = [*root.glob("secrets/*"), *root.glob("postgres/passwords/*")]
    return {str(path.relative_to(root)): path.read_text().strip() for path in files}


def test_nothing_of_a_person_is_outside_the_vault(lived: Lived, pieces: list[Piece]) -> None:
    outside = [piece for piece in pieces if not piece.is_vault]
    assert found(outside, MARKED) == set()
    known = personal_values(lived.installation.home)
    assert standing(outside, set().union(*known.values())) == set()


def test_the_vault_holds_what_was_looked_for(pieces: list[Piece]) -> None:
    vault = b"\n".join(piece.content for piece in pieces if piece.is_vault)
    kinds = re.findall(
        rb"(Given|Family|Mail|Click|Deal with |Call me: |Net)" + MARK.encode(), vault
    )
    assert len(set(kinds)) == 7


def test_the_vault_is_its_owners_alone(lived: Lived) -> None:
    home = lived.installation.home
    paths = list(home.landing.rglob("*"))
    private = [path for path in paths if path.is_dir() or path.name in VAULT]
    assert len(private) >= 20
    assert {oct(path.stat().st_mode & 0o077) for path in [home.landing, *private]} == {"0o0"}


def test_no_vendors_secret_is_written(pieces: list[Piece], secrets: set[str]) -> None:
    assert len(secrets) >= 12
    assert found(pieces, any_of(secrets)) == set()


def test_a_made_secret_is_in_its_own_file_alone(pieces: list[Piece], made: dict[str, str]) -> None:
    assert len(made) >= 4
    assert found(pieces, any_of(set(made.values()))) == {
        (place, secret.encode()) for place, secret in made.items()
    }


def test_the_night_said_what_would_tell(lived: Lived, pieces: list[Piece]) -> None:
    """Rows were set aside, a batch was held, people were told, and libraries logged all."""
    home = lived.installation.home
    assert any(home.outbox.rglob("*"))
    verdicts = [json.loads(path.read_text()) for path in home.landing.rglob("verdict.json")]
    assert {"held", "passed"} <= {verdict["state"] for verdict in verdicts}
    assert sum(verdict["rows_quarantined"] for verdict in verdicts) >= 3
    said = (home.logs / "said.log").read_text()
    assert "https" in said or "127.0.0.1" in said
    kinds = {Path(piece.place).suffix for piece in pieces}
    assert {".duckdb", ".parquet", ".zst", ".json", ".html", ".log"} <= kinds


def test_one_personal_value_in_a_log_is_noticed(lived: Lived) -> None:
    known = personal_values(lived.installation.home)
    assert {name for name, values in known.items() if values} == PERSONAL
    for values in known.values():
        one, *_ = sorted(values)
        line = Piece("logs/x.log", f"cannot read '{one}', it said".encode())
        assert ("logs/x.log", one) in standing([line], values)
        packed = Piece("logs/x.log", b"x=" + base64.b64encode(one.encode()) + b";")
        assert ("logs/x.log", one) in standing([packed], values)
        hashed = Piece("logs/x.log", hashlib.sha256(one.lower().encode()).hexdigest().encode())
        assert ("logs/x.log", one) in standing([hashed], values)
        part = Piece("logs/x.log", f"cannot read '{one}x', it said".encode())
        assert ("logs/x.log", one) not in standing([part], values)


def test_a_short_word_in_a_binary_file_is_chance_and_a_long_one_or_one_in_text_is_not() -> None:
    known = ["Ruth", "Mirjam"]
    binary = Piece("postgres/data/pg_wal/1", b"\0\x0bRuth\0 Mirjam\0")
    text = Piece("postgres kpi.x", b"1\tRuth\t2")
    assert standing([binary, text], known) == {(binary.place, "Mirjam"), (text.place, "Ruth")}


def in_a_log(home: Home) -> None:
    (home.logs / "x.log").write_text(f"cannot read Given{MARK}1")


def in_calls(home: Home) -> None:
    packed = pa.compress(f"Mail{MARK}@post.example".encode(), "zstd", asbytes=True)
    (home.logs / "calls.ndjson.zst").write_bytes(packed)


def in_parquet(home: Home) -> None:
    with duckdb.connect() as connection:
        path = home.logs / "x.parquet"
        connection.execute(f"copy (select ['Mail{MARK}'] as x) to '{path}' (compression zstd)")


def in_duckdb(home: Home) -> None:
    with duckdb.connect(str(home.logs / "x.duckdb")) as connection:
        connection.execute(f"create table x as select {{'deep': 'Mail{MARK}'}} as x")


def in_sqlite(home: Home) -> None:
    with sqlite3.connect(home.logs / "x.db") as connection:
        connection.execute("create table x (x blob)")
        connection.execute("insert into x values (?)", [f"Mail{MARK}"])


def in_postgres(home: Home) -> None:
    with running(home) as server, psycopg.connect(server.login(WRITER).url) as connection:
        connection.execute("create schema kpi; create table kpi.x (x text)")
        connection.execute("insert into kpi.x values (%s)", [f"Mail{MARK}"])


@pytest.mark.parametrize(
    ("plant", "place"),
    [
        (in_a_log, "logs/x.log"),
        (in_calls, "logs/calls.ndjson.zst"),
        (in_parquet, "logs/x.parquet"),
        (in_duckdb, 'logs/x.duckdb "main"."x"'),
        (in_sqlite, "logs/x.db"),
        (in_postgres, "postgres kpi.x"),
    ],
)
def test_what_is_planted_is_found(plant, place, tmp_path: Path) -> None:
    home = Home(tmp_path / "var")
    home.logs.mkdir(parents=True)
    plant(home)
    places = {where for where, _ in found(everything_written(home), MARKED)}
    assert place in places
