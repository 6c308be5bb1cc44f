"""Which batches newer ones have replaced whole: a pure function over the ledger of one stream."""

from __future__ import annotations

from collections.abc import Iterable

from ingest.batch import Window
from ingest.plan import Landed
from ingest.stream import Stream
from ingest.windows import merge, subtract


def superseded(stream: Stream, landed: Iterable[Landed]) -> list[int]:
    """The sequences of the batches of which no row counts any more.

    A batch of days when newer ones that went on cover each of its days; a complete list when a
    newer one went on. Changes and responses replace each other record by record: never.
    """
    newest_first = sorted(landed, key=lambda batch: batch.sequence, reverse=True)
    found = []
    if stream.load == "window":
        covered: list[Window] = []
        for batch in newest_first:
            assert batch.window is not None
            if not subtract([batch.window], covered):
                found.append(batch.sequence)
            if not batch.is_held:
                covered = merge([*covered, batch.window])
    elif stream.load in ("snapshot", "replace"):
        has_newer = False
        for batch in newest_first:
            if has_newer:
                found.append(batch.sequence)
            has_newer = has_newer or not batch.is_held
    return found[::-1]
