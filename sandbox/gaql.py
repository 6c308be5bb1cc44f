"""The Google Ads Query Language: text to a frozen query, with the vendor's own names for what is
wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Value = str | float | tuple[str | float, ...]


class QueryError(Exception):
    """A query Google refuses; `code` is its queryError value."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Condition:
    field: str
    operator: str
    value: Value = ""


@dataclass(frozen=True, slots=True)
class Ordering:
    field: str
    is_descending: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query. Field names are as written (snake_case)."""

    select: tuple[str, ...]
    resource: str
    where: tuple[Condition, ...] = ()
    order_by: tuple[Ordering, ...] = ()
    limit: int | None = None


TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")
    |(?P<number>-?\d+(?:\.\d+)?(?![\w.]))
    |(?P<word>[A-Za-z_][A-Za-z0-9_.]*)
    |(?P<symbol><=|>=|!=|[=<>(),]))""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Lexeme:
    kind: str
    text: str

    @property
    def keyword(self) -> str:
        return self.text.upper() if self.kind == "word" else self.text


END = Lexeme("end", "")


def parse(text: str) -> Query:
    """Parse one query. Raises QueryError with the vendor's code."""
    return _Reader(_lexemes(text)).query()


def _lexemes(text: str) -> list[Lexeme]:
    lexemes, at = [], 0
    while text[at:].strip():
        found = TOKEN.match(text, at)
        if found is None:
            rest = text[at:].lstrip()
            if rest[0] in "'\"":
                raise QueryError(
                    "STRING_NOT_TERMINATED", "Error in query: string is not terminated."
                )
            raise QueryError("BAD_SYMBOL", f"Error in query: unexpected symbol {rest[0]}.")
        lexemes.append(Lexeme(found.lastgroup or "", found.group(found.lastgroup or 0)))
        at = found.end()
    return lexemes


class _Reader:
    def __init__(self, lexemes: list[Lexeme]) -> None:
        self._lexemes = lexemes
        self._at = 0

    @property
    def _next(self) -> Lexeme:
        return self._lexemes[self._at] if self._at < len(self._lexemes) else END

    def _take(self) -> Lexeme:
        lexeme = self._next
        if lexeme is END:
            raise QueryError("UNEXPECTED_END_OF_QUERY", "Error in query: unexpected end of query.")
        self._at += 1
        return lexeme

    def _took(self, *words: str) -> bool:
        """Take the words when they come next, all of them."""
        ahead = [lexeme.keyword for lexeme in self._lexemes[self._at : self._at + len(words)]]
        if ahead != list(words):
            return False
        self._at += len(words)
        return True

    def _need(self, word: str, code: str) -> None:
        if not self._took(word):
            shown = self._next.text or "end of query"
            raise QueryError(code, f"Error in query: expected {word}, found {shown}.")

    def query(self) -> Query:
        self._need("SELECT", "EXPECTED_SELECT")
        select = self._fields()
        self._need("FROM", "EXPECTED_FROM")
        resource = self._word("BAD_RESOURCE_TYPE_IN_FROM_CLAUSE")
        where: list[Condition] = []
        if self._took("WHERE"):
            where.append(self._condition())
            while self._took("AND"):
                where.append(self._condition())
        order_by = self._orderings() if self._took("ORDER") else ()
        limit = self._limit() if self._took("LIMIT") else None
        if self._took("PARAMETERS"):
            self._parameters()
        if self._next is not END:
            raise QueryError(
                "UNEXPECTED_INPUT", f"Error in query: unexpected input {self._next.text}."
            )
        return Query(select, resource, tuple(where), order_by, limit)

    def _word(self, code: str) -> str:
        lexeme = self._take()
        if lexeme.kind != "word":
            raise QueryError(code, f"Error in query: unexpected input {lexeme.text}.")
        return lexeme.text

    def _fields(self) -> tuple[str, ...]:
        fields = [self._word("BAD_FIELD_NAME")]
        while self._took(","):
            fields.append(self._word("BAD_FIELD_NAME"))
        return tuple(dict.fromkeys(fields))

    def _orderings(self) -> tuple[Ordering, ...]:
        self._need("BY", "EXPECTED_BY")
        found: list[Ordering] = []
        while not found or self._took(","):
            field = self._word("BAD_FIELD_NAME")
            is_descending = self._took("DESC")
            if not is_descending:
                self._took("ASC")
            found.append(Ordering(field, is_descending))
        return tuple(found)

    def _limit(self) -> int:
        lexeme = self._take()
        if lexeme.kind != "number" or not lexeme.text.lstrip("-").isdigit():
            raise QueryError("BAD_LIMIT_VALUE", f"Error in query: {lexeme.text} is not a limit.")
        if int(lexeme.text) < 1:
            raise QueryError("LIMIT_VALUE_TOO_LOW", "Error in query: the limit must be positive.")
        return int(lexeme.text)

    def _parameters(self) -> None:
        while True:
            name = self._word("BAD_PARAMETER_NAME")
            if name not in ("include_drafts", "omit_unselected_resource_names"):
                raise QueryError("BAD_PARAMETER_NAME", f"Error in query: unknown parameter {name}.")
            self._need("=", "BAD_OPERATOR")
            if self._take().keyword not in ("TRUE", "FALSE"):
                raise QueryError("BAD_PARAMETER_VALUE", f"Error in query: {name} is true or false.")
            if not self._took(","):
                return

    def _condition(self) -> Condition:
        field = self._word("BAD_FIELD_NAME")
        if self._took("NOT", "IN"):
            return Condition(field, "NOT IN", self._list())
        if self._took("NOT", "LIKE"):
            return Condition(field, "NOT LIKE", self._value())
        if self._took("IS", "NOT", "NULL"):
            return Condition(field, "IS NOT NULL")
        if self._took("IS", "NULL"):
            return Condition(field, "IS NULL")
        operator = self._take().keyword
        if operator == "IN":
            return Condition(field, operator, self._list())
        if operator == "BETWEEN":
            low = self._value()
            self._need("AND", "EXPECTED_VALUE_WITH_BETWEEN_OPERATOR")
            return Condition(field, operator, (low, self._value()))
        if operator == "DURING":
            return Condition(
                field, operator, self._word("INVALID_VALUE_WITH_DURING_OPERATOR").upper()
            )
        if operator not in ("=", "!=", ">", ">=", "<", "<=", "LIKE"):
            raise QueryError("BAD_OPERATOR", f"Error in query: {operator} is not an operator.")
        return Condition(field, operator, self._value())

    def _list(self) -> tuple[str | float, ...]:
        self._need("(", "EXPECTED_LIST")
        if self._next.text == ")":
            raise QueryError(
                "PROHIBITED_EMPTY_LIST_IN_CONDITION", "Error in query: the list is empty."
            )
        values = [self._value()]
        while self._took(","):
            values.append(self._value())
        self._need(")", "EXPECTED_LIST")
        return tuple(values)

    def _value(self) -> str | float:
        lexeme = self._take()
        if lexeme.kind == "text":
            return re.sub(r"\\(.)", r"\1", lexeme.text[1:-1])
        if lexeme.kind == "number":
            return float(lexeme.text) if "." in lexeme.text else int(lexeme.text)
        if lexeme.kind == "word":
            return lexeme.text
        raise QueryError("BAD_VALUE", f"Error in query: {lexeme.text} is not a value.")
