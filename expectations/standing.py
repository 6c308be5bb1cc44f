"""The rules that stand for every stream, made from its description: readable, typed, key, required,
volume, schema, and not too much set aside."""

# ruff: noqa: S608 - the flags in the queries are named in this module

from __future__ import annotations

from expectations.facts import Facts
from expectations.rules import BatchRule, Present, RowRule, Rule
from expectations.verdict import Action, Severity
from ingest.stream import Column, Stream

_ROWS = "select count(*) from staged"


def standing(stream: Stream, subject: str) -> tuple[Rule, ...]:
    """The standing rules of a stream; `subject` is what its rows are, in a marketer's words."""
    required = tuple(_required(column, subject) for column in stream.columns if column.required)
    return (
        _readable(subject),
        _typed(subject),
        *required,
        *_key(stream, subject),
        *_volume(stream, subject),
        *_schema(subject),
        _mostly_sound(subject),
    )


def _readable(subject: str) -> Rule:
    return BatchRule(
        name="readable",
        action="quarantine",
        severity="critical",
        query="select _line from unreadable",
        total="select (select count(*) from staged) + (select count(*) from unreadable)",
        sets_aside=True,
        expected="each line is one JSON object in UTF-8 without repeated keys",
        sentence=f"Some {subject} arrived damaged and could not be read.",
    )


def _typed(subject: str) -> Rule:
    return RowRule(
        name="typed",
        action="quarantine",
        severity="critical",
        predicate="len(_mistyped) > 0",
        expected="text that is present is what its column means",
        sentence=f"Some {subject} arrived with values that are not what they should be, "
        "such as a word where a number belongs.",
    )


def _required(column: Column, subject: str) -> Rule:
    what = column.name.removeprefix("is_").removesuffix("_id").replace("_", " ")
    return Present(
        name=f"{column.name}_present",
        action="quarantine",
        severity="critical",
        column=column.name,
        expected=f"{column.name} is not null",
        sentence=f"Some {subject} arrived without their {what}.",
    )


def _key(stream: Stream, subject: str) -> tuple[Rule, ...]:
    if stream.load == "replace" or len(stream.columns) == len(stream.key):
        return ()
    if stream.load == "window":
        return (
            RowRule(
                name="one_row_a_key",
                action="quarantine",
                severity="critical",
                predicate="_conflicts",
                expected=f"rows with one ({', '.join(stream.key)}) have the same measures",
                sentence=f"Some {subject} were reported twice with different numbers, "
                "so neither can be used.",
            ),
        )
    return (
        RowRule(
            name="one_row_a_key",
            action="observe",
            severity="warning",
            predicate="_conflicts",
            expected=f"rows with one ({', '.join(stream.key)}) and age have the same content",
            sentence=f"Some {subject} were reported twice with different content; "
            "the later one is used.",
        ),
    )


def _volume(stream: Stream, subject: str) -> tuple[Rule, ...]:
    holds = stream.load in ("window", "snapshot", "replace")
    action: Action = "hold" if holds else "observe"
    severity: Severity = "critical" if holds else "warning"
    last = "The last complete numbers stay in use." if holds else "This may be a quiet night."
    told = BatchRule(
        name="nothing_told_thrice",
        action="observe",
        severity="warning",
        query="select item from volume where is_told order by item",
        total="select count(*) from volume where expected is not null",
        applies=_has_volume,
        names_days=True,
        speaks_of_empty=True,
        expected="no day or list that is short for the third night and so taken as it is",
        sentence=f"There are fewer {subject} than expected, for the third night: "
        "this is now taken as the answer.",
    )
    rules = tuple(
        BatchRule(
            name=name,
            action=action,
            severity=severity,
            query=f"select item from volume where {flag} order by item",
            total="select count(*) from volume where expected is not null",
            applies=_has_volume,
            names_days=True,
            speaks_of_empty=True,
            expected=expected,
            sentence=f"{sentence} {last}",
        )
        for name, flag, expected, sentence in (
            (
                "nothing_missing",
                "is_missing",
                "rows for each day or list that had some before",
                _missing_sentence(stream, subject),
            ),
            (
                "enough_rows",
                "is_thin",
                "about as many rows as before",
                f"There are far fewer {subject} than there should be.",
            ),
        )
    )
    return (*rules, told) if holds else rules


def _missing_sentence(stream: Stream, subject: str) -> str:
    if stream.load == "window":
        return f"There are no {subject} at all for days that should have some."
    return f"There are no {subject} at all, and before there were."


def _has_volume(facts: Facts) -> bool:
    """Whether anything is known to compare the number of rows with."""
    return facts.stream.load == "window" or bool(facts.history.passed)


def as_told(subject: str) -> Rule:
    """As many rows as the vendor itself says there are, for streams of which it says so.

    While a list is read things are made and taken away: two rows, or one in fifty, may be missing.
    """
    return BatchRule(
        name="as_many_as_told",
        action="hold",
        severity="critical",
        query="select rows || ' of ' || told from told "
        "where told - rows > 2 and told - rows > 0.02 * told",
        total="select count(*) from told",
        applies=lambda facts: facts.batch.manifest.rows_told is not None,
        speaks_of_empty=True,
        expected="as many rows as the vendor says there are",
        sentence=f"Not all {subject} arrived: the vendor itself counts more. "
        "The last complete numbers stay in use.",
    )


def _schema(subject: str) -> tuple[Rule, ...]:
    return (
        BatchRule(
            name="no_field_vanished",
            action="hold",
            severity="critical",
            query="select path from fields where is_vanished order by path",
            total="select count(*) from fields where is_declared",
            expected="the fields that have always been there are there",
            sentence=f"A part of the {subject} that is always there was missing from all of them.",
        ),
        BatchRule(
            name="no_new_field",
            action="observe",
            severity="info",
            query="select path from fields where is_new order by path",
            total="select count(*) from fields",
            applies=lambda facts: bool(facts.history.fields()),
            expected="no field that was never seen before",
            sentence=f"The {subject} carry something new that is not used yet.",
        ),
    )


def _mostly_sound(subject: str) -> Rule:
    return BatchRule(
        name="mostly_sound",
        action="hold",
        severity="critical",
        query="""
            select _line from set_aside
            where (select count(*) from set_aside) >= 20
                and (select count(*) from set_aside) > 0.2 * (
                    (select count(*) from staged) + (select count(*) from unreadable)
                )
            order by _line
        """,
        total=_ROWS,
        expected="at most a fifth of the rows is set aside, or fewer than 20",
        sentence=f"So many of the {subject} are wrong that the rest cannot be trusted either.",
    )
