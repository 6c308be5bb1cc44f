"""What explains a value, or what a call feeds, as a tree for a terminal or as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import islice

import msgspec
from rich.text import Text
from rich.tree import Tree

from publish.explanation import BatchRows, CallRows, Explanation, StreamRows
from publish.feeds import Fed, Feeds
from publish.figures import figure

# More lines of one kind than this are counted, not listed; JSON lists all.
SHOWN = 10


def to_json(found: Explanation | Feeds) -> str:
    """All of it; exact numbers are texts."""
    return msgspec.json.format(msgspec.json.encode(found)).decode()


def explained(found: Explanation) -> Tree:
    """A value, its days, and its rows by stream and account, batch and call."""
    value, period, definition = found.value, found.period, found.definition
    head = f"{found.kpi_id} {definition.name}, {period.type} {period.name}, {found.segment}"
    tree = Tree(_text(head, "bold"))
    where = value.publication_id or "the warehouse, not published"
    tree.add(_text(f"value {_value(found)} in {where}"))
    if value.numerator is not None:
        below = "" if value.denominator is None else f", denominator {_number(value.denominator)}"
        tree.add(_text(f"numerator {_number(value.numerator)}{below}"))
    tree.add(_text(f"data through {value.data_through}, {value.dq_state}: {value.dq_reason}"))
    if value.grounds.words:
        tree.add(_text(f"rests on: {value.grounds.words}"))
    tree.add(_text(definition.formula))
    if found.note:
        tree.add(_text(found.note, "yellow"))
    over = "" if definition.below is None else f" over {_uncapitalised(definition.below)}"
    tree.add(_text(f"definition {definition.version}: {_uncapitalised(definition.above)}{over}"))
    for parameter in definition.parameters:
        tree.add(_text(_uncapitalised(parameter)))
    if found.days:
        days = tree.add(_text(_count(len(found.days), "day"), "bold"))
        lines = []
        for day in found.days:
            below = "" if day.denominator is None else f" / {_number(day.denominator)}"
            lines.append(f"{day.day}  {_number(day.numerator)}{below}")
        _add_lines(days, lines)
    for stream in found.streams:
        _add_stream(tree, stream)
    if not found.streams:
        tree.add(_text("no rows are behind it, or none that may be told"))
    return tree


def fed(found: Feeds) -> Tree:
    """A call, its batch and what of its rows still stands, and the KPIs they feed."""
    tree = Tree(_text(f"{found.call_id}  {found.method} {found.url}", "bold"))
    tree.add(_text(f"status {found.status}, sha256 {found.sha256}"))
    tree.add(
        _text(
            f"batch {found.batch_id} of {found.source} {found.account} {found.stream}, "
            f"night of {found.as_of_date}, {found.state}"
        )
    )
    gone = "" if found.rows == found.rows_standing else "; the others were replaced or set aside"
    tree.add(
        _text(
            f"{found.rows_standing:,} of {_count(found.rows, 'row')} stand in the warehouse{gone}"
        )
    )
    for kpi in found.kpis:
        _add_fed(tree, kpi)
    return tree


def _add_stream(tree: Tree, stream: StreamRows) -> None:
    when = "whatever their day"
    if stream.dated_by:
        when = f"{stream.dated_by} {stream.first_day} to {stream.last_day}"
    every = "" if stream.is_of_segment else ", all segments"
    head = f"{stream.source}.{stream.stream} {stream.account}: {_count(stream.rows, 'row')}"
    node = tree.add(_text(f"{head}, {when}{every}{_sums(stream.sums)}", "bold"))
    for batch in stream.batches:
        _add_batch(node, batch, has_sums=len(stream.batches) > 1)


def _add_batch(tree: Tree, batch: BatchRows, *, has_sums: bool) -> None:
    aside = f", {_count(batch.set_aside, 'row')} set aside" if batch.set_aside else ""
    sums = _sums(batch.sums) if has_sums else ""
    node = tree.add(
        _text(f"batch {batch.batch_id}, {batch.state}: {_count(batch.rows, 'row')}{aside}{sums}")
    )
    for note in batch.rewritten:
        words = f"rewritten {note.at[:10]} by {note.by}: {_count(note.rows, 'row')} of a person"
        node.add(_text(f"{words}, forgotten; before that its rows had sha256 {note.sha256}"))
    _add_lines(node, [_call(call) for call in batch.calls])


def _call(call: CallRows) -> str:
    return (
        f"{call.call_id}  {call.rows_here:,} of {_count(call.rows, 'row')}\n"
        f"{call.method} {call.url} → {call.status}, sha256 {call.sha256}"
    )


def _add_fed(tree: Tree, kpi: Fed) -> None:
    head = f"{kpi.kpi_id} {kpi.name}: {_count(kpi.rows, 'row')}"
    if kpi.periods is None:
        tree.add(_text(f"{head}, which may count in any period"))
        return
    if not kpi.days:
        tree.add(_text(f"{head} count"))
        return
    node = tree.add(_text(f"{head} on {_count(len(kpi.days), 'day')}"))
    node.add(_text(f"days {kpi.days[0]} to {kpi.days[-1]}"))
    for type_, names in kpi.periods.items():
        listed = ", ".join(names) if len(names) <= SHOWN else f"{names[0]} to {names[-1]}"
        node.add(_text(f"{type_}s {listed}"))


def _value(found: Explanation) -> str:
    value = found.value
    if value.value is None:
        return f"none ({value.no_data_reason})"
    return figure(value.value, found.definition.unit, found.currency)


def _add_lines(tree: Tree, lines: Sequence[str]) -> None:
    for line in islice(lines, SHOWN):
        tree.add(_text(line))
    if len(lines) > SHOWN:
        tree.add(_text(f"and {len(lines) - SHOWN:,} more: --json lists all", "dim"))


def _sums(sums: Mapping[str, Decimal]) -> str:
    return "".join(f"; {name} {_number(amount)}" for name, amount in sums.items())


def _number(amount: Decimal | None) -> str:
    if amount is None:
        return "nothing"
    whole = f"{amount:,f}"
    return whole.rstrip("0").rstrip(".") if "." in whole else whole


def _uncapitalised(words: str) -> str:
    return words[:1].lower() + words[1:]


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _text(text: str, style: str = "") -> Text:
    """Plain text: what a vendor's URL holds is no markup."""
    return Text(text, style=style)
