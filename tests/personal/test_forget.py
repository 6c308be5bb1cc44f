"""A person is forgotten in all that nights wrote, killed halfway or not, and no number moves."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from rich.console import Console

from boscard import forget as forgetting
from boscard.forget import CannotForgetError, Forgotten, forget, sentences
from boscard.home import Home
from boscard.replay import replay
from boscard.settings import Settings
from expectations import erasure
from expectations.examiner import Examiner
from expectations.gate import gate
from expectations.verdict import Verdict, read_verdict
from ingest.batch import ROWS, Batch
from ingest.landing import Landing
from ingest.store import working_folder
from publish.embedded import running
from publish.explain import explain
from publish.login import WRITER
from publish.period import parse_period
from tests.personal.conftest import MARK, Lived
from tests.personal.written import everything_written, found
from warehouse.errors import WarehouseBusy
from warehouse.lock import writer_lock

ANSWER = re.compile(rb'"token":"(\w+)"[^\n]*"hidden":{"contact_id":"([0-9]+)"')


@dataclass(frozen=True, slots=True)
class Person:
    """A contact with a deal and an answer, and what tells all of it from anybody else's."""

    contact: str
    deals: tuple[str, ...]
    answers: tuple[str, ...]

    @property
    def email(self) -> str:
        return f"Mail{MARK}{self.contact}@post.example"

    @property
    def anything(self) -> re.Pattern[bytes]:
        parts = [rf"(?:Given|Family|Mail|Click){MARK}{self.contact}(?![0-9])"]
        parts += [f"Deal with {MARK}{deal}(?![0-9])" for deal in self.deals]
        for token in self.answers:
            parts += [f"Call me: {MARK}{token}", f"Net{MARK}{token[:6]}"]
        return re.compile("|".join(parts).encode(), re.IGNORECASE)


@pytest.fixture
def home(lived: Lived, tmp_path: Path) -> Home:
    """A copy of the home after its nights, with its owners: Postgres asks for its own."""
    copy = tmp_path / "var"
    subprocess.run(["cp", "-a", str(lived.installation.home.root), str(copy)], check=True)
    return Home(copy)


@pytest.fixture
def vault(lived: Lived, tmp_path: Path) -> Home:
    """A copy of landing and the warehouse: a search there takes no server."""
    copy = tmp_path / "vault"
    copy.mkdir(mode=0o700)
    for name in ("landing", "warehouse"):
        shutil.copytree(lived.installation.home.root / name, copy / name)
    return Home(copy)


@pytest.fixture
def settings(lived: Lived) -> Settings:
    return lived.installation.settings


@pytest.fixture(scope="module")
def person(lived: Lived) -> Person:
    warehouse = lived.installation.home.warehouse
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute(
            """
            with deals as (
                select unnest(from_json(associated, '["JSON"]')) ->> '$.toObjectId' as contact_id,
                    deal_id
                from raw.hubspot__deal_contacts
            )
            select contact_id, list(distinct deal_id), list(distinct response_token)
            from raw.typeform__responses
            inner join deals using (contact_id)
            inner join raw.hubspot__contacts as contacts using (contact_id)
            where contacts.email is not null
            group by contact_id
            order by len(list(distinct deal_id)) desc, contact_id
            limit 1
            """
        ).fetchall()
    [(contact, deals, answers)] = found
    return Person(contact, tuple(deals), tuple(answers))


def hashes(home: Home) -> int:
    """How many hashes of personal text stand in the raw tables of contacts, answers and deals."""
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        rows = connection.execute(
            "select (select count(email) + count(last_name) from raw.hubspot__contacts)"
            " + (select count(network_id) from raw.typeform__responses)"
            " + (select count(deal_name) from raw.hubspot__deals)"
        ).fetchall()
    return int(rows[0][0])


def places(home: Home, pattern: re.Pattern[bytes]) -> set[str]:
    return {place for place, _ in found(everything_written(home), pattern)}


def rewritten(home: Home) -> Counter[str]:
    """Rows erased by stream, as the manifests note them."""
    return Counter(
        {
            batch.manifest.stream: sum(note.rows for note in batch.manifest.rewritten)
            for batch in Landing(home.landing).batches()
            if batch.manifest.rewritten
        }
    )


def reproduced(home: Home, settings: Settings) -> bool | None:
    return replay(home, settings, None, Console(quiet=True)).is_reproduced


def test_nothing_of_a_person_is_left_and_no_number_moves(
    home: Home, settings: Settings, person: Person
) -> None:
    everybody = re.compile(MARK.encode())
    before = list(everything_written(home))
    theirs = {Path(place).name for place, _ in found(before, person.anything)}
    assert theirs >= {"rows.ndjson.zst", "typed.parquet"}
    known = hashes(home)
    done = forget(home, settings, person.email.upper(), by="ada")
    after = list(everything_written(home))
    assert found(after, person.anything) == set()
    assert {place for place, _ in found(after, everybody)} == {
        place for place, _ in found(before, everybody)
    }
    assert hashes(home) < known
    assert done.still == ()
    streams = {part.stream for part in done.parts}
    assert streams >= {"contacts", "responses", "deals"}
    assert set(rewritten(home)) == streams
    assert not (home.landing / "forgetting.json").exists()
    assert reproduced(home, settings) is True
    explained = explain(home, settings, "F07", parse_period("2026-10"))
    batches = [batch for stream in explained.streams for batch in stream.batches]
    assert {note.by for batch in batches for note in batch.rewritten} == {"ada"}
    again = forget(home, settings, person.email, by="ada")
    assert again == Forgotten((), 0, 0, ())
    assert "nothing of this person" in sentences(again, settings, is_dry=False)[0]


def test_the_gate_says_the_same_of_what_was_rewritten(
    vault: Home, settings: Settings, person: Person
) -> None:
    forget(vault, settings, person.email, by="ada")
    landing = Landing(vault.landing)
    touched = [batch for batch in landing.batches() if batch.manifest.rewritten]
    assert touched
    for batch in touched:
        before = read_verdict(batch)
        after = judged_again(batch, vault, settings)
        assert before is not None
        assert (after.state, after.counts) == (before.state, before.counts), batch.path
        assert after.profile.rows_per_day == before.profile.rows_per_day


def test_what_a_killed_gate_left_is_removed_and_one_at_work_let_be(
    vault: Home, settings: Settings
) -> None:
    left = vault.spilled / "killed" / "part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"rows")
    with working_folder(vault.spilled) as living:
        (living / "part").write_bytes(b"nobody@post.example")
        done = forget(vault, settings, "nobody@post.example", by="ada")
        assert [*vault.spilled.iterdir()] == [living]
    assert done.still == ()


def test_a_row_set_aside_is_forgotten_too(vault: Home, settings: Settings) -> None:
    pieces = list(everything_written(vault))
    addresses = b"".join(piece.content for piece in pieces if piece.place.endswith("typed.parquet"))
    answers = (
        Person(contact.decode(), (), (token.decode(),))
        for piece in pieces
        if piece.place.endswith("quarantine.parquet") and not piece.content.startswith(b"PAR1")
        for token, contact in ANSWER.findall(piece.content)
    )
    person = next(one for one in answers if one.email.encode() in addresses)
    assert any("quarantine" in place for place in places(vault, person.anything))
    forget(vault, settings, person.email, by="ada")
    assert places(vault, person.anything) == set()


def test_a_dry_run_tells_and_changes_nothing(
    vault: Home, settings: Settings, person: Person
) -> None:
    before = places(vault, person.anything)
    done = forget(vault, settings, person.email, by="ada", is_dry=True)
    assert places(vault, person.anything) == before
    assert not rewritten(vault)
    said = "\n".join(sentences(done, settings, is_dry=True))
    assert "hubspot 24601001 contacts: rows" in said
    assert "nothing was changed" in said


@pytest.mark.parametrize(
    ("room", "name", "calls"),
    [
        (erasure, "_erase_rows", 1),
        (erasure, "write_whole", 0),
        (forgetting, "erase", 2),
        (forgetting, "erase_rows", 0),
    ],
    ids=["in a batch", "before its manifest", "between batches", "before the warehouse"],
)
def test_one_that_was_killed_is_finished_by_the_next(
    vault: Home,
    settings: Settings,
    person: Person,
    monkeypatch: pytest.MonkeyPatch,
    room: object,
    name: str,
    calls: int,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(room, name, killed_after(calls, getattr(room, name)))
        with pytest.raises(KeyboardInterrupt):
            forget(vault, settings, person.email, by="ada")
    assert (vault.landing / "forgetting.json").stat().st_mode & 0o077 == 0
    known = hashes(vault)
    forget(vault, settings, "nobody@post.example", by="somebody else")
    assert places(vault, person.anything) == set()
    assert hashes(vault) < known
    notes = {
        note.by for batch in Landing(vault.landing).batches() for note in batch.manifest.rewritten
    }
    assert notes == {"ada"}
    hubspot = Landing(vault.landing).batches("hubspot")
    [batch, *_] = [one for one in hubspot if one.manifest.rewritten]
    state = judged_again(batch, vault, settings).state
    assert (state, (batch.path / ROWS).exists()) == ("passed", True)


def judged_again(batch: Batch, home: Home, settings: Settings) -> Verdict:
    landing = Landing(home.landing)
    with Examiner(home.spilled) as examiner:
        return gate(batch, landing=landing, settings=settings, examiner=examiner, again=True)


def killed_after(calls: int, work: Callable[..., Any]) -> Callable[..., Any]:
    left = iter(range(calls))

    def once(*given: Any, **named: Any) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return work(*given, **named)

    return once


def test_where_an_address_still_stands_is_told(
    home: Home, settings: Settings, person: Person
) -> None:
    (home.logs / "x.log").write_text(f"of {person.email}")
    with duckdb.connect(str(home.publications / "old.duckdb")) as connection:
        connection.execute(f"create table x as select ['{person.email}'] as x")
    with running(home) as server, psycopg.connect(server.login(WRITER).url) as connection:
        connection.execute("create table published.x (x text)")
        connection.execute("insert into published.x values (%s)", [person.email])
    done = forget(home, settings, person.email, by="ada")
    assert [place.replace(str(home.root), "") for place in done.still] == [
        "/logs/x.log",
        "/publications/old.duckdb main.x",
        "Postgres published.x",
    ]


def test_it_waits_for_no_writer(vault: Home, settings: Settings) -> None:
    with writer_lock(vault), pytest.raises(WarehouseBusy):
        forget(vault, settings, "ada@post.example", by="ada")
    with pytest.raises(CannotForgetError, match="no e-mail address"):
        forget(vault, settings, "Ada", by="ada")
