"""One result a rule, from what the split counted and what Great Expectations answered."""

from __future__ import annotations

from expectations.examiner import Answer
from expectations.facts import Facts
from expectations.rules import BatchRule, Rule, Suite, check_id
from expectations.split import Count
from expectations.verdict import Result, State


def result_of(facts: Facts, rule: Rule, count: Count | None, answer: Answer | None) -> Result:
    """The result of a rule. `count` is None for a rule that does not apply.

    Great Expectations decides pass and fail; where its count and the split's differ, or it raised,
    the result is `error`.
    """
    if count is None:
        return _result(facts, rule, "skipped", Count(0, 0), "nothing to compare with")
    if facts.batch.manifest.rows == 0 and not _looks_at_no_rows(rule):
        return _result(facts, rule, "empty", Count(0, 0), "no rows")
    if count.total == 0:
        return _result(facts, rule, "skipped", count, "nothing to compare with")
    if answer is None or answer.count is None:
        return _result(facts, rule, "error", count, answer.error if answer else "it gave no answer")
    if answer.count != count.failed or answer.success != (count.failed == 0):
        observed = f"Great Expectations counts {answer.count}, the split {count.failed}"
        return _result(facts, rule, "error", count, observed)
    items = "items" if isinstance(rule, BatchRule) and not rule.sets_aside else "rows"
    observed = f"{count.failed} of {count.total} {items}"
    return _result(facts, rule, "pass" if answer.success else "fail", count, observed)


def could_not_read(facts: Facts, suite: Suite, wrong: str) -> tuple[Result, ...]:
    """The results of a batch whose rows cannot be read at all: one error, the others skipped."""
    rows = facts.batch.manifest.rows
    return tuple(
        _result(facts, rule, "error", Count(rows, rows), wrong)
        if rule.name == "readable"
        else _result(facts, rule, "skipped", Count(0, 0), "the rows could not be read")
        for rule in suite.rules
    )


def _looks_at_no_rows(rule: Rule) -> bool:
    """Whether a rule has something to say of an empty batch."""
    return isinstance(rule, BatchRule) and rule.speaks_of_empty


def _result(facts: Facts, rule: Rule, state: State, count: Count, observed: str) -> Result:
    manifest = facts.batch.manifest
    return Result(
        check_id=check_id(manifest.source, manifest.stream, rule.name),
        rule=rule.name,
        severity=rule.severity,
        action=rule.action,
        state=state,
        observed=observed,
        expected=rule.expected,
        n_failed=count.failed,
        n_total=count.total,
        sample=count.sample,
        sentence=_sentence(facts, rule, state, count),
        of_rows=state == "fail" and not isinstance(rule, BatchRule),
    )


def _sentence(facts: Facts, rule: Rule, state: State, count: Count) -> str:
    """The rule's sentence with how large it is and since when; empty unless it failed."""
    if state == "error":
        return "A check of these numbers could not be made."
    if state != "fail":
        return ""
    if isinstance(rule, BatchRule):
        return f"{rule.sentence}{_items(rule, count)}"
    size = f" That is {count.failed:,} of {count.total:,}."
    if count.first_day is None or count.last_day is None:
        return rule.sentence + size
    if count.first_day == count.last_day:
        return f"{rule.sentence}{size[:-1]}, on {count.first_day}."
    return f"{rule.sentence}{size[:-1]}, from {count.first_day} to {count.last_day}."


def _items(rule: BatchRule, count: Count) -> str:
    if rule.sets_aside:
        return f" That is {count.failed:,} of {count.total:,}."
    if not rule.names_days or not count.sample or count.sample == ("all",):
        return ""
    shown = ", ".join(count.sample)
    more = count.failed - len(count.sample)
    return f" Affected: {shown}{f' and {more} more days' if more > 0 else ''}."
