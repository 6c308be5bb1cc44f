"""What a line of the log is about goes with it as fields: source, account, stream, batch.

Airflow's logs show them behind the words, or as keys of a JSON line where it is told to write such.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

import structlog

from ingest.batch import Manifest, Unit


def about(thing: Unit | Manifest) -> AbstractContextManager[object]:
    """All lines logged in this context, by this thread, are about a unit or a batch."""
    fields = {"source": thing.source, "account": thing.account, "stream": thing.stream}
    if isinstance(thing, Manifest):
        fields["batch"] = thing.batch_id
    return structlog.contextvars.bound_contextvars(**fields)
