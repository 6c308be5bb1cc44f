"""What a rule is. It is stated once: what the gate sets aside and what Great Expectations is asked
are both built from the same statement.

A row rule is one SQL predicate over the staged batch that says which rows FAIL, tested with `is
true`: a row for which it is NULL does not fail, and a rule that means otherwise says so. A batch
rule is a query for the items (days, fields, lists) that fail.
"""

# ruff: noqa: S608 - the SQL is made from our own descriptions of streams and rules

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from expectations.verdict import Action, Severity

if TYPE_CHECKING:
    from expectations.facts import Facts

STAGED = "staged"


def _always(facts: Facts) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What all rules have in common.

    `expected`: what holds for sound data, for the engineer. `sentence`: what is wrong when it does
    not, for the marketer: no column, table or SQL name in it. `applies`: whether what the rule
    compares with is known; otherwise its result is `skipped`.
    """

    name: str
    action: Action
    severity: Severity
    expected: str
    sentence: str
    applies: Callable[[Facts], bool] = _always

    def expectation(self, facts: Facts) -> Any:
        """The Great Expectations expectation of this rule; importing that library takes seconds."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRule(Rule):
    """Rows for which `predicate` is true fail. `columns`: at fault where it names none."""

    predicate: str
    columns: tuple[str, ...] = ()

    def failing(self, facts: Facts) -> str:
        return self.predicate

    def expectation(self, facts: Facts) -> Any:
        import great_expectations.expectations as gxe

        query = f"select _line from {{batch}} where ({self.failing(facts)}) is true"
        return gxe.UnexpectedRowsExpectation(unexpected_rows_query=query)


@dataclass(frozen=True, slots=True, kw_only=True)
class Present(RowRule):
    """Rows without a value in `column` fail: for this rule NULL fails."""

    column: str
    predicate: str = field(default="", init=False)

    def failing(self, facts: Facts) -> str:
        return f"{self.column} is null"

    def expectation(self, facts: Facts) -> Any:
        import great_expectations.expectations as gxe

        return gxe.ExpectColumnValuesToNotBeNull(column=self.column)


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLeast(RowRule):
    """Rows with less than `minimum` in `column` fail; NULL does not."""

    column: str
    minimum: int
    predicate: str = field(default="", init=False)

    def failing(self, facts: Facts) -> str:
        return f"{self.column} < {self.minimum}"

    def expectation(self, facts: Facts) -> Any:
        import great_expectations.expectations as gxe

        return gxe.ExpectColumnValuesToBeBetween(column=self.column, min_value=self.minimum)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf(RowRule):
    """Rows whose `column` is none of `allowed(facts)` fail; NULL does not."""

    column: str
    allowed: Callable[[Facts], tuple[str, ...]]
    predicate: str = field(default="", init=False)

    def failing(self, facts: Facts) -> str:
        return f"{self.column} not in ({', '.join(map(literal, self.allowed(facts)))})"

    def expectation(self, facts: Facts) -> Any:
        import great_expectations.expectations as gxe

        return gxe.ExpectColumnValuesToBeInSet(
            column=self.column, value_set=list(self.allowed(facts))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRule(Rule):
    """Each row of `query` is an item that fails, its first column the item's name.

    `total` is a query of one number: how many items were looked at. `sets_aside`: the items are
    lines of the batch, and the rule's action is taken on them. `names_days`: the items are days or
    `all`. `speaks_of_empty`: it has something to say of a batch without rows.
    """

    query: str
    total: str
    sets_aside: bool = False
    names_days: bool = False
    speaks_of_empty: bool = False

    def expectation(self, facts: Facts) -> Any:
        import great_expectations.expectations as gxe

        # The items stand in a table about the batch; without its name in the query GX warns.
        query = f"{self.query} /* of {{batch}} */"
        return gxe.UnexpectedRowsExpectation(unexpected_rows_query=query)


def _no_columns(facts: Facts) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """What must hold for one stream.

    `subject` is for sentences: what the rows are. `version`: the column by which the newest of
    several rows with one key is known, besides the line. `dated_by`: columns that put a row without
    a day of its own in a KPI's period; the first usable one counts. `always`: columns whose field
    is in every sound answer of some size. `known`: paths that come and go and are not used.
    `empty_is_null`: paths below which the vendor writes nothing as empty text. `columns`: further
    columns of the staged batch that rules need, by name, as SQL.
    """

    subject: str
    rules: tuple[Rule, ...]
    version: str | None = None
    dated_by: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    empty_is_null: tuple[str, ...] = ()
    columns: Callable[[Facts], Mapping[str, str]] = _no_columns

    def rule(self, name: str) -> Rule:
        return next(rule for rule in self.rules if rule.name == name)


def check_id(source: str, stream: str, rule: str) -> str:
    return f"{source}.{stream}.{rule}"


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
