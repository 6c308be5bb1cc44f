"""What a source is: frozen data.

A vendor's oddities live in one plain generator a stream, named here as `pull`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ingest.api import Api

if TYPE_CHECKING:
    from ingest.client import Page
    from ingest.pull import Pull

Type = Literal["text", "bigint", "decimal", "double", "boolean", "date", "timestamp", "json"]
Load = Literal["window", "changes", "snapshot", "replace", "responses"]
Scope = Literal["account", "connection"]
Personal = Literal["email", "text"]
Named = Literal["contact", "owner", "deal"]


@dataclass(frozen=True, slots=True)
class Column:
    """One typed column of a raw table, and where it stands in the vendor's row.

    `path` is the dotted path in the row; `@name` takes a value from the context of the call that
    fetched the row (a form's id, which Typeform does not repeat in each response).

    `personal` text says something of a person: the warehouse holds its keyed hash alone, the same
    one however an e-mail address is capitalised. `kept` are the leaves (dotted paths in each
    element) that the warehouse holds of a json list in which people's words stand. `names`: of
    what the column holds the id, or a list of ids; by it all rows of one person are found, another
    source's too.
    """

    name: str
    path: str
    type: Type
    required: bool = False
    personal: Personal | None = None
    kept: tuple[str, ...] | None = None
    names: Named | None = None

    def __post_init__(self) -> None:
        if self.personal is not None and self.type != "text":
            raise ValueError(f"{self.name}: only text can be hashed, not {self.type}")
        if self.kept is not None and self.type != "json":
            raise ValueError(f"{self.name}: only json has leaves to keep, not {self.type}")


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of row of one source.

    How `load` treats a batch:
    window     rows of days: the batch's window is replaced (delete by account and days, insert)
    changes    entities by modification time: upserted by key; `archived` rows become `_is_deleted`
    snapshot   the complete list of entities: upserted by key; absent keys become `_is_deleted`
    replace    the complete list of something without an identity: all rows of the account replaced
    responses  events by submission time: upserted by key, so a response seen twice is one row

    `restatement_days`: how many days back the vendor still rewrites its own numbers.
    `window_days`: the longest window pulled as one unit (and so one batch).
    `scope`: pulled once an account, or once a connection (a manager account's list of customers).
    `every_days`: a complete list is wanted every so many nights.
    `sweeps`: the stream whose live records this list names, all of them and by the same key: a
    record it does not name was deleted for good.
    `remembered`: the columns of which the warehouse keeps what they said before a night changed
    them, because KPIs rest on them and the vendor keeps no past; none of them is personal.
    """

    name: str
    load: Load
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    pull: Callable[[Pull], Iterator[Page]]
    date_column: str | None = None
    restatement_days: int = 0
    window_days: int = 100
    scope: Scope = "account"
    every_days: int = 1
    sweeps: str | None = None
    remembered: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.remembered and self.load not in ("changes", "responses", "replace"):
            raise ValueError(f"{self.name}: what {self.load} replaces is not remembered")
        for name in self.remembered:
            if self.column(name).personal is not None:
                raise ValueError(f"{self.name}: {name} is personal and is not kept a second time")

    @property
    def is_windowed(self) -> bool:
        return self.load in ("window", "changes", "responses")

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True, slots=True)
class Source:
    """One vendor: its area, its streams in the order of pulling, its API's behaviour.

    `account_pattern` is how its accounts are spelt in the settings, `account_words` says it.
    """

    name: str
    title: str
    area: Literal["ads", "crm", "survey"]
    base_url: str
    streams: Mapping[str, Stream]
    concurrency: int
    api: Api = field(default_factory=Api)
    account_pattern: str = ".+"
    account_words: str = "the vendor's id of the account"


def raw_table(source: str, stream: str) -> str:
    """The name of a stream's table in the warehouse's schema `raw`."""
    return f"{source}__{stream}"
