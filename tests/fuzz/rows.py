"""Vendors' rows gone wrong: sound rows with edits, written as the bytes a vendor could send."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any, Literal

from hypothesis import strategies as st

from ingest.stream import Stream
from tests.expectations.conftest import NIGHT, clean_row

Kind = Literal["set", "drop", "twice", "otherwise", "escaped"]
Node = dict[str, Any] | bytes

# JSON as it may stand where a value is meant; all of it is JSON that a strict parser takes.
NUMBERS = (
    *("0", "-0", "-0.0", "1", "-1", "42", "42.0", "42.00000", "42.7", "-42.5", "0.5", "1e3", "1E5"),
    *("4.2e1", "1e-7", "1e22", "1e400", "-1e400", "5e-324", "1.7976931348623157e308", "0.1e1"),
    *("2147483648", "9007199254740993", "9223372036854775807", "9223372036854775808"),
    *("-9223372036854775808", "-9223372036854775809", "18446744073709551616", "1" + "0" * 60),
    *("999999999999.999999", "999999999999.9999999", "0.1234565", "0.12345651", "1000000000000"),
    *("123456789012.123456", "0.1", "3.141592653589793238462643", "1" + "0" * 400),
)
NUMERALS = (
    *("", " ", "0", "42", " 42", "42 ", "+42", "-42", "42.", ".5", "42.0", "42.7", "1e3", "0x1F"),
    *("1_000", "1,5", "1.000,50", "٤٢", "４２", "NaN", "nan", "Infinity", "-inf", "null", "NULL"),
    *("true", "false", "True", "FALSE", "yes", "1", "n/a", "-", "--", "[]", "{}", '"', "\\"),
    *("9223372036854775808", "999999999999.9999995", "1" + "0" * 50, "0." + "1" * 40, "1e-400"),
)
MOMENTS = (
    *("2026-03-10", "2026-02-30", "2026-13-01", "2026-3-1", "20260310", "10.03.2026", "0000-01-01"),
    *("0001-01-01", "9999-12-31", "10000-01-01", "-0001-01-01", "2026-03-10T", "2026-03-10 08:00"),
    *("2026-03-10T08:00:00Z", "2026-03-10T08:00:00", "2026-03-10T08:00:00+02:00"),
    *("2026-03-10T08:00:00.123456789Z", "2026-03-10T24:00:00Z", "2026-03-10T23:59:60Z"),
    *("2026-03-10T08:00:00+25:00", "2026-03-10T08:00:00+0530", "2026-03-10t08:00:00z"),
    *("2026-03-29T02:30:00+01:00", "2024-02-29T00:00:00Z", "2026-02-29T00:00:00Z", "infinity"),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "1772273000000", "now", "epoch"),
)
TEXTS = (
    *NUMERALS,
    *MOMENTS,
    *("Ünïcødé 🧭", "e\u0301", "\u00e9", "\u202eabc", "\ufeff42", "\u200b", "a\u2028b", "a\u0085b"),
    *("a\r\nb", "a\tb", "\x7f", "a\0b", "\0", "ｅ@example.com", "İ", "ß", "x" * 5000, "'; drop--"),
    *("<script>", "{{ now() }}", "$1", "%s", "?", "customer", "1", "2", "3"),
)
ESCAPED = (
    r'"\u0000"',
    r'"\ud83e\udded"',
    r'"\/\b\f\n\r\t"',
    r'"\u00e9\u0301"',
    r'"4\u0032"',
    r'"\u2028"',
    r'"\ufeff"',
    r'"\ud800"',
    r'"a\udc00b"',
    r'"\\ud800"',
)
OTHERS = (
    *(
        "null",
        "true",
        "false",
        "[]",
        "{}",
        "[null]",
        "[[]]",
        '{"": 1}',
        '{"a": {"b": [1.50, "x"]}}',
    ),
    *('["a", "a"]', '{"id": "1"}', '[{"number": 9}]', "[" * 60 + "]" * 60, '{"a": 1, "a": 2}'),
    *('[{"field": {"id": "score", "type": "nps"}, "type": "number", "number": 14}]', "[1, 2]"),
    *('[{"value": "won", "timestamp": "2026-02-01T00:00:00Z", "sourceId": "a person"}]',),
    *('[{"field": {"id": "score"}, "number": 7, "text": "call me"}, {"field": "x"}, 3, null]',),
)
FRAGMENTS = tuple(
    dict.fromkeys(
        text.encode()
        for text in (
            *NUMBERS,
            *(json.dumps(text, ensure_ascii=False) for text in TEXTS),
            *ESCAPED,
            *OTHERS,
        )
    )
)
_NUMERALS, _MOMENTS = (
    tuple(json.dumps(text, ensure_ascii=False).encode() for text in texts)
    for texts in (NUMERALS, MOMENTS)
)
fragments = st.one_of(
    st.sampled_from(FRAGMENTS),
    st.text(max_size=20).map(lambda text: json.dumps(text).encode()),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda one: repr(one).encode()),
    st.integers().map(lambda one: str(one).encode()),
)


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing done to a row at a dotted path.

    set: another value; drop: the key is gone; twice: the key comes again with another value;
    otherwise: the key in capitals beside it; escaped: the key written in escapes.
    """

    kind: Kind
    path: str
    value: bytes = field(default=b"null", repr=True)


@dataclass(frozen=True, slots=True)
class Written:
    """A row as the vendor writes it, and what was done to it: `is_sound` where nothing was.

    `case`: equal for rows of a stream that came out alike but for their number.
    """

    line: bytes
    is_sound: bool
    case: bytes


def _near(stream: Stream, path: str) -> tuple[bytes, ...]:
    """JSON that a column of this type may take for its own."""
    kind = next((column.type for column in stream.columns if column.path == path), "json")
    near: dict[str, tuple[bytes, ...]] = {
        **dict.fromkeys(("bigint", "decimal", "double"), (*map(str.encode, NUMBERS), *_NUMERALS)),
        **dict.fromkeys(("date", "timestamp"), _MOMENTS),
    }
    return near.get(kind, FRAGMENTS)


def batches(source: str, stream: Stream, size: int) -> st.SearchStrategy[list[tuple[Edit, ...]]]:
    """The edits of each row of a batch, no two alike; every eighth row is left as it is.

    Values and dice come from Hypothesis, the places from the dice: drawn edit by edit, a batch of
    rows would take longer than its way, and its first one would do the same to all rows.
    """
    return st.builds(
        lambda dice, values: _with_sound_ones(_edits(source, stream, size, dice, values)),
        st.randoms(use_true_random=True),
        st.lists(fragments, min_size=20, max_size=20),
    )


def _edits(
    source: str, stream: Stream, size: int, dice: Random, values: Sequence[bytes]
) -> list[tuple[Edit, ...]]:
    """Up to two edits a row: of a column's value, of what lies around it, or elsewhere.

    Together they change something, and something else in each row.
    """
    leaves = [column.path for column in stream.columns if not column.path.startswith("@")]
    parents = {path.rpartition(".")[0] for path in leaves} - {""}
    places = [*leaves, *leaves, *sorted(parents), "unheard_of"]
    kinds: list[Kind] = ["set", "set", "set", "set", "drop", "twice", "otherwise", "escaped"]
    found: dict[bytes, tuple[Edit, ...]] = {case_of(source, stream.name, ()): ()}
    while len(found) <= size - size // 8:
        done = []
        for path in dice.choices(places, k=dice.choice((1, 2))):
            among = dice.choice((_near(stream, path), FRAGMENTS, values))
            done.append(Edit(dice.choice(kinds), path, dice.choice(among)))
        found.setdefault(case_of(source, stream.name, tuple(done)), tuple(done))
    return list(found.values())[1:]


def _with_sound_ones(rows: list[tuple[Edit, ...]]) -> list[tuple[Edit, ...]]:
    among = [rows[start : start + 7] for start in range(0, len(rows), 7)]
    return [row for part in among for row in (*part, *[()] * (len(part) == 7))]


def write(source: str, stream: Stream, batch: Sequence[tuple[Edit, ...]]) -> list[Written]:
    """Every tenth row comes again under the next one's edits, and of what changes by time not all
    is equally old."""
    written = []
    for line, done in enumerate(batch, start=1):
        number = line - 1 if line % 10 == 0 else line
        day = NIGHT - timedelta(days=line % 3) if stream.load == "changes" else NIGHT
        row = _edited(clean_row(source, stream.name, number, day), done)
        written.append(Written(_encoded(row), not done, case_of(source, stream.name, done)))
    return written


def case_of(source: str, stream: str, done: tuple[Edit, ...]) -> bytes:
    """What the edits make of the stream's first row."""
    return _encoded(_edited(clean_row(source, stream, 1), done))


def _edited(row: dict[str, Any], done: Iterable[Edit]) -> Node:
    node = _as_node(copy.deepcopy(row))
    for edit in done:
        *parents, key = edit.path.split(".")
        at = node
        for parent in parents:
            below = at.get(parent) if isinstance(at, dict) else None
            if not isinstance(below, dict):
                break
            at = below
        else:
            if isinstance(at, dict):
                _edit(at, key, edit)
    return node


def _edit(at: dict[str, Any], key: str, edit: Edit) -> None:
    match edit.kind:
        case "set":
            at[key] = edit.value
        case "drop":
            at.pop(key, None)
        case "twice":
            at.setdefault(key, b"null")
            at[f"{key}\0again"] = edit.value
        case "otherwise":
            at[key.upper()] = edit.value
        case "escaped" if key in at:
            at[f"{key}\0escaped"] = at.pop(key)
        case _:
            pass


def _as_node(value: Any) -> Node:
    if isinstance(value, dict):
        return {key: _as_node(below) for key, below in value.items()}
    return json.dumps(value, ensure_ascii=False).encode()


def _encoded(node: Node) -> bytes:
    if isinstance(node, bytes):
        return node
    members = [_key(key) + b":" + _encoded(value) for key, value in node.items()]
    return b"{" + b",".join(members) + b"}"


def _key(key: str) -> bytes:
    name, _, how = key.partition("\0")
    if how == "escaped":
        return b'"' + b"".join(b"\\u%04x" % ord(letter) for letter in name) + b'"'
    return json.dumps(name).encode()
