"""Of a person the warehouse holds keyed hashes, the same for two ways to write one address."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import date

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.registry import SOURCES
from ingest.stream import Column
from tests.warehouse.conftest import NIGHT
from tests.warehouse.landed import KEY, a_clock, land
from warehouse.errors import HashKeyChanged
from warehouse.load import load
from warehouse.personal import PADS, HashKey, stored
from warehouse.replay import rebuild

TEXT = Column("name", "name", "text", personal="text")
EMAIL = Column("email", "email", "text", personal="email")
ANSWERS = Column("answers", "answers", "json", kept=("field.id", "number"))
WINDOW = (date(2025, 10, 1), NIGHT)


DUCKDB = duckdb.connect()


def store(column, value, key=KEY):
    sql = f"select {stored(column, '$value::varchar')} from {PADS}"
    return DUCKDB.execute(sql, {"value": value, **key.pads}).fetchall()[0][0]


def by_python(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


@given(
    key=st.binary(min_size=1, max_size=200),
    text=st.text(st.characters(exclude_categories=["C", "Z"], max_codepoint=0x17F), min_size=1),
)
def test_the_hash_is_the_one_of_rfc_2104(key, text):
    assert store(TEXT, text, HashKey(key)) == by_python(key, text)


@pytest.mark.parametrize(
    ("column", "one", "other", "is_same"),
    [
        (EMAIL, "ann@example.com", " Ann@Example.COM\n", True),
        (EMAIL, "ÄNN@example.com", "änn@example.com", True),
        (EMAIL, "jose\u0301@example.com", "jos\u00e9@example.com", True),
        (EMAIL, "ann@example.com", "an n@example.com", False),
        (TEXT, "Ann\u00a0", "\tAnn", True),
        (TEXT, "ANN", "Ann", False),
    ],
)
def test_how_it_was_written(column, one, other, is_same):
    assert (store(column, one) == store(column, other)) is is_same


@pytest.mark.parametrize("column", [TEXT, EMAIL], ids=["text", "email"])
@pytest.mark.parametrize("blank", [None, "", " \t\u00a0\n"])
def test_nothing_has_no_hash(column, blank):
    assert store(column, blank) is None


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        (
            [{"field": {"id": "a", "ref": "x"}, "type": "text", "text": "call me", "number": 9.5}],
            [{"field": {"id": "a"}, "number": 9.5}],
        ),
        ([], []),
        ([7, "call me", {"text": "call me"}], [{"field": None, "number": None}] * 3),
        ("call me", None),
        ({"text": "call me"}, None),
        (None, None),
    ],
)
def test_of_a_list_the_named_leaves_are_kept(given_, kept):
    found = store(ANSWERS, json.dumps(given_))
    assert (json.loads(found) if found else None) == kept


def test_the_key_is_not_shown():
    assert KEY.value.decode() not in repr(KEY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "bigint", "personal": "text"},
        {"type": "text", "kept": ("a",)},
        {"type": "json", "personal": "text"},
    ],
)
def test_what_cannot_be_hashed_or_kept_is_refused(wrong):
    with pytest.raises(ValueError, match="x: only"):
        Column("x", "x", **wrong)


def test_no_key_of_a_stream_is_personal():
    """A key stands in messages, in the facts about quarantine and in samples of checks."""
    for source in SOURCES.values():
        for stream in source.streams.values():
            assert not any(stream.column(name).personal for name in stream.key), stream.name


@pytest.fixture
def lived(landing, load_night):
    """A contact and an owner with one address, written in two ways."""
    person = {"contact_id": "7", "email": "Ann@Example.com ", "first_name": "Ann"}
    person |= {"created_at": "2025-10-01", "updated_at": "2025-10-01", "is_archived": False}
    land(landing, "hubspot", "300", "contacts", [person], as_of=NIGHT, window=WINDOW)
    owner = {"owner_id": "1", "email": "ann@example.com"}
    land(landing, "hubspot", "300", "owners", [owner], as_of=NIGHT)
    load_night()


def test_raw_holds_hashes_that_join(lived, query):
    sql = """
        select contacts.email, contacts.first_name, contacts.last_name
        from raw.hubspot__contacts as contacts
        inner join raw.hubspot__owners as owners on contacts.email = owners.email
    """
    address, name = (by_python(KEY.value, text) for text in ("ann@example.com", "Ann"))
    assert query(sql) == [(address, name, None)]


def test_another_key_is_refused(lived, home, settings, query):
    before = query("select email from raw.hubspot__contacts")
    with pytest.raises(HashKeyChanged, match="boscard replay"):
        load(home, settings, a_clock(NIGHT, settings), HashKey(b"another"))
    assert query("select email from raw.hubspot__contacts") == before


def test_rows_from_before_there_was_a_key_are_refused(lived, home, load_night):
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("delete from ops.hash_key")
    with pytest.raises(HashKeyChanged):
        load_night()


def test_a_replay_takes_the_new_key(lived, home, settings, tmp_path):
    scratch = type(home)(tmp_path / "scratch")
    other = HashKey(b"another")
    rebuild(home, scratch, settings, [a_clock(NIGHT, settings)], other, lambda day: None)
    with duckdb.connect(str(scratch.warehouse), read_only=True) as connection:
        found = connection.execute("select email from raw.hubspot__contacts").fetchall()
        known = connection.execute("select fingerprint from ops.hash_key").fetchall()
    assert found == [(by_python(b"another", "ann@example.com"),)]
    assert known == [(other.fingerprint,)]
