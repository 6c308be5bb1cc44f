"""What a home must not tell: what its vault holds of people, outside of it; secrets, anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote, quote_plus

import duckdb
import pyarrow as pa

from boscard.home import PROJECT, Home
from ingest.batch import ROWS, TYPED
from ingest.landing import Landing
from ingest.registry import SOURCES
from ingest.stream import Column
from sandbox.tokens import ISSUERS
from tests.personal.written import Piece, any_of, everything_written, found

LETTERS = rb"0-9A-Za-z\x80-\xff"
WORD = re.compile(rb"[%b]+" % LETTERS)
FREE_TEXT = re.compile(rb'"type":"text","text":("(?:[^"\\]|\\.)*")')
# tokens of vendors by how they begin, and of Airflow's own API
TOKENS = re.compile(
    rb"(?:ya29\.|tfo_|tfr_|tfp_|pat-na1-|na1-|1//)[A-Za-z0-9_-]{30,}"
    rb"|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}"
)


# Texts of so many bytes come about by chance in the tens of megabytes that a database writes.
BY_CHANCE = 5
PERSONAL = {
    *("email", "first_name", "last_name", "google_click_id", "deal_name", "network_id", "answers"),
}


def assert_nothing_is_told(home: Home) -> None:
    """Nothing personal outside of the vault, no token anywhere, each secret in its place alone."""
    pieces = list(everything_written(home))
    outside = [piece for piece in pieces if not piece.is_vault]
    known = personal_values(home)
    assert {name for name, values in known.items() if values} == PERSONAL
    assert standing(outside, set().union(*known.values())) == set()
    assert found(pieces, TOKENS) == set()
    assert found(pieces, any_of({issuer.client_secret for issuer in ISSUERS.values()})) == set()
    made = made_secrets(home)
    assert {"secrets/hash_key", "airflow/secrets/jwt_secret"} <= {place for place, _ in made}
    assert found(pieces, any_of({secret.decode() for _, secret in made})) == made


def personal_values(home: Home) -> dict[str, set[str]]:
    """Of each personal column, and of what was written into forms, by name.

    Without single words that are also said of others: a company's name, whoever owns a KPI; nor of
    three letters, such as Jan.
    """
    personal: dict[str, set[str]] = {}
    public = set().union(*(words(path.read_bytes()) for path in _project_texts()))
    for batch in Landing(home.landing).batches():
        stream = SOURCES[batch.manifest.source].streams[batch.manifest.stream]
        texts = [column for column in stream.columns if column.type == "text"]
        for column, values in zip(texts, _distinct(batch.path / TYPED, texts), strict=True):
            if column.personal:
                personal.setdefault(column.name, set()).update(values)
            else:
                public.update(words("\n".join(values).encode()))
        if stream.name == "responses":
            rows = pa.CompressedInputStream(str(batch.path / ROWS), "zstd").read()
            written = {json.loads(text) for text in FREE_TEXT.findall(rows)}
            personal.setdefault("answers", set()).update(written)
    return {
        name: {value for value in values if value.encode() not in public and len(value) > 3}
        for name, values in personal.items()
    }


def standing(pieces: Iterable[Piece], values: Iterable[str]) -> set[tuple[str, str]]:
    """Where one of the values stands as whole words, in clear or in a form that hides nothing.

    Short ones are not looked for in binary files, where a checksum spells Ruth now and then: what
    these hold is searched as text, too.
    """
    wanted = {
        form: (value, words(form), _whole(form)) for value in values for form in _forms(value)
    }
    return {
        (piece.place, value)
        for piece in pieces
        for there, least in [(words(piece.content), BY_CHANCE if b"\0" in piece.content else 0)]
        for form, (value, parts, whole) in wanted.items()
        if len(form) > least and parts <= there and whole.search(piece.content)
    }


def _forms(value: str) -> set[bytes]:
    """As it is, as in URLs, in JSON, in base64, and as a hash that everybody can make."""
    text = value.encode()
    forms = {
        text,
        quote(value).encode(),
        quote_plus(value).encode(),
        json.dumps(value)[1:-1].encode(),
    }
    forms |= {base64.b64encode(text).rstrip(b"="), base64.urlsafe_b64encode(text).rstrip(b"=")}
    for same in (text, value.lower().encode()):
        forms |= {kind(same).hexdigest().encode() for kind in (hashlib.sha256, hashlib.md5)}
    return forms


def words(content: bytes) -> set[bytes]:
    return set(WORD.findall(content))


def made_secrets(home: Home) -> set[tuple[str, bytes]]:
    """The secrets that an installation made for itself, each with the only place it may be at."""
    root = home.root
    paths = [*root.glob("secrets/*"), *root.glob("airflow/secrets/*")]
    paths += root.glob("postgres/passwords/*")
    return {(str(path.relative_to(root)), secret) for path in paths for secret in _secrets(path)}


def _secrets(path: Path) -> list[bytes]:
    text = path.read_text("utf-8").strip()
    if text.startswith("{"):  # passwords of Airflow's users, by name
        return [password.encode() for password in json.loads(text).values()]
    return [text.encode()]


def _project_texts() -> list[Path]:
    found = (PROJECT / "dbt_project").rglob("*")
    return [path for path in found if path.suffix in {".yml", ".csv"}]


def _distinct(typed: Path, columns: Sequence[Column]) -> list[set[str]]:
    """What stands in each of these columns; a batch that does not go on has no typed rows."""
    if not columns or not typed.exists():
        return [set() for _ in columns]
    lists = ", ".join(f'list(distinct "{column.name}")' for column in columns)
    [found] = duckdb.execute(f"select {lists} from read_parquet(?)", [str(typed)]).fetchall()
    return [{value for value in values or () if value is not None} for values in found]


def _whole(form: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"(?<![%b])%b(?![%b])" % (LETTERS, re.escape(form), LETTERS))
