"""How long the fuzz looks: a fixed set of cases by default, other ones with `make test-fuzz`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import Phase, settings

from expectations.examiner import Examiner
from warehouse.tables import ensure_tables

ROWS = 200
ROUNDS = int(os.environ.get("BOSCARD_FUZZ_ROUNDS", "0"))
# A failure names its line: minutes of looking for a smaller batch would say no more.
fuzz = settings(
    derandomize=not ROUNDS,
    max_examples=ROUNDS or 3,
    database=None,
    phases=(Phase.explicit, Phase.generate),
)


@pytest.fixture(scope="session", autouse=True)
def _no_fsync() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        yield


@pytest.fixture(scope="session")
def examiner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examiner]:
    with Examiner(tmp_path_factory.mktemp("spilled")) as examiner:
        yield examiner


@pytest.fixture(scope="session")
def raw() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty warehouse."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        ensure_tables(connection)
        yield connection


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="session")
def tried() -> dict[str, set[bytes]]:
    """By stream, the edited rows that were sent on their way, no two alike."""
    return {}
