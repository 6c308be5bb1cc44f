"""One unit after the other, or several at once: from a vendor's pages to a landed batch."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import requests

from boscard.clock import Clock
from boscard.logs import about
from boscard.settings import Account, Settings
from ingest.auth import Auth, Bearer, OAuth
from ingest.batch import Batch, Unit, Window
from ingest.budget import Budget
from ingest.client import Client
from ingest.connections import Connection
from ingest.errors import IngestError, Refused, UsedUp
from ingest.exchange import Page, Request
from ingest.landing import Draft, Landing
from ingest.memory import keep_freed_memory
from ingest.paginators import Paginator, pages
from ingest.progress import Progress, Quiet, unit_label
from ingest.registry import SOURCES
from ingest.session import PATIENCE, Health, Patience, new_session
from ingest.stream import Source, Stream
from ingest.tokens import TokenStore

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pull:
    """What a stream's generator is given."""

    unit: Unit
    stream: Stream
    account: Account
    connection: Connection
    client: Client
    clock: Clock
    history_start: date

    @property
    def window(self) -> Window:
        """The days of a windowed stream's unit, in the account's own time zone."""
        if self.unit.window is None:
            raise ValueError(f"{unit_label(self.unit)} is a complete list: it has no window")
        return self.unit.window

    @property
    def is_from_the_start(self) -> bool:
        """True where nothing has been landed yet, so that everything is wanted."""
        return self.window.start <= self.history_start

    def pages(self, request: Request, paginator: Paginator) -> Iterator[Page]:
        return pages(self.client.fetch, request, paginator)


@dataclass(frozen=True, slots=True)
class Pulled:
    """How one of several units ended: with a batch, or with what went wrong."""

    unit: Unit
    batch: Batch | None
    error: IngestError | None


def pull_unit(
    unit: Unit,
    *,
    settings: Settings,
    clock: Clock,
    landing: Landing,
    connection: Connection,
    tokens: TokenStore,
    progress: Progress | None = None,
    patience: Patience = PATIENCE,
) -> Batch:
    """Pull one unit and land it as one batch, or nothing.

    Raises Transient, Throttled, Refused or Skipped, which name the unit.
    """
    with _drafted(
        unit, settings, clock, landing, connection, tokens, progress or Quiet(), patience
    ) as draft:
        return _committed(draft)


def pull_units(
    units: Sequence[Unit],
    *,
    settings: Settings,
    clock: Clock,
    landing: Landing,
    connection: Callable[[str], Connection],
    tokens: TokenStore,
    progress: Progress | None = None,
    patience: Patience = PATIENCE,
) -> list[Pulled]:
    """Pull units of one source, as many at once as it allows; one that fails stops no other.

    `connection` finds a connection by its name. Batches of one stream are committed in the order
    of `units` whichever is fetched first, so their numbers do not depend on the network.
    """
    if not units:
        return []
    watcher = progress or Quiet()

    def draft(unit: Unit) -> Draft:
        found = connection(_account_of(settings, unit).connection)
        return _drafted(unit, settings, clock, landing, found, tokens, watcher, patience)

    ended: dict[Unit, Pulled] = {}
    queues: dict[tuple[str, str], deque[tuple[Unit, Future[Draft]]]] = {}
    try:
        with ThreadPoolExecutor(SOURCES[units[0].source].concurrency) as pool:
            for unit in units:
                queue = queues.setdefault((unit.account, unit.stream), deque())
                queue.append((unit, pool.submit(draft, unit)))
            places = {future: queue for queue in queues.values() for _, future in queue}
            for future in as_completed(places):
                queue = places[future]
                while queue and queue[0][1].done():
                    unit, drafted = queue.popleft()
                    ended[unit] = _end(unit, drafted)
    finally:
        _drop(drafted for queue in queues.values() for _, drafted in queue)
    return [ended[unit] for unit in units]


def _drop(futures: Iterable[Future[Draft]]) -> None:
    """Drop the drafts that nobody commits any more, or their locks outlive what went wrong."""
    for future in futures:
        if future.exception() is None:
            future.result().close()


def _end(unit: Unit, drafted: Future[Draft]) -> Pulled:
    try:
        with drafted.result() as draft:
            return Pulled(unit, _committed(draft), None)
    except IngestError as error:
        return Pulled(unit, None, error)


def _committed(draft: Draft) -> Batch:
    batch = draft.commit()
    manifest = batch.manifest
    with about(manifest):
        LOG.info("landed: %d rows in %d calls", manifest.rows, manifest.calls)
    return batch


def _drafted(
    unit: Unit,
    settings: Settings,
    clock: Clock,
    landing: Landing,
    connection: Connection,
    tokens: TokenStore,
    progress: Progress,
    patience: Patience,
) -> Draft:
    """All pages of a unit in a draft that waits to be committed."""
    source = SOURCES[unit.source]
    stream = source.streams[unit.stream]
    keep_freed_memory()
    progress.started(unit)
    draft: Draft | None = None
    try:
        account = _account_of(settings, unit)
        client = open_client(source, account.connection, connection, tokens, patience)
        pull = Pull(
            unit, stream, account, connection, client, clock, settings.company.history_start
        )
        draft = landing.draft(unit, clock.as_of_date)
        with about(unit):
            for page in stream.pull(pull):
                draft.add(page)
                progress.page(unit, len(page.rows))
    except BaseException as error:
        if draft is not None:
            draft.close()
        if isinstance(error, UsedUp):
            error.wait = until_midnight(datetime.now(_account_of(settings, unit).zone))
        if isinstance(error, IngestError):
            error.where = unit_label(unit)
            progress.ended(unit, f"{type(error).__name__.lower()}: {error.message}")
        else:
            progress.ended(unit, f"stopped by {type(error).__name__}")
        raise
    progress.ended(unit, f"{draft.rows:,} rows")
    return draft


@dataclass(frozen=True, slots=True)
class _Access:
    """What all units of one connection share: a vendor counts calls and tokens per connection."""

    auth: Auth
    budget: Budget
    session: requests.Session
    health: Health


_OPENED: dict[tuple[str, ...], _Access] = {}
_OPENING = threading.Lock()


def open_client(
    source: Source,
    name: str,
    connection: Connection,
    tokens: TokenStore,
    patience: Patience = PATIENCE,
) -> Client:
    """A client for the connection called `name`; all of one process share token and budget."""
    host = (connection.host or source.base_url).rstrip("/")
    secrets = hashlib.sha256("\0".join(connection.secrets).encode()).hexdigest()
    key = (source.name, name, host, connection.login, secrets, str(id(tokens)))
    with _OPENING:
        access = _OPENED.get(key)
        if access is None:
            auth = _authenticate(source, name, host, connection, tokens)
            budget = Budget(source.api.limits)
            access = _OPENED[key] = _Access(auth, budget, new_session(), Health())
    return Client(
        title=source.title,
        host=host,
        auth=access.auth,
        budget=access.budget,
        rules=source.api.rules,
        explain=source.api.explain,
        headers=source.api.headers(connection),
        session=access.session,
        health=access.health,
        patience=patience,
    )


def _authenticate(
    source: Source, name: str, host: str, connection: Connection, tokens: TokenStore
) -> Auth:
    if connection.password and not connection.login and "refresh_token" not in connection.extra:
        return Bearer(connection.password)
    if not connection.login or not connection.password:
        raise Refused(
            f"{source.title}: connection {name!r} holds no credentials",
            f"put client id, client secret and refresh_token (or a token alone, as the password) "
            f"into connection {name!r}",
        )
    url = connection.extra.get("token_url") or source.api.token_url
    return OAuth(
        connection,
        name=name,
        title=source.title,
        token_url=url if "://" in url else host + url,
        tokens=tokens,
        scope=source.api.scope,
        is_expired=source.api.is_expired,
    )


def until_midnight(now: datetime) -> float:
    """The seconds until the day of `now` is over in its time zone."""
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), tzinfo=now.tzinfo)
    return midnight.timestamp() - now.timestamp()


def _account_of(settings: Settings, unit: Unit) -> Account:
    """The account of a unit; for a stream of scope connection the first that it reaches."""
    scope = SOURCES[unit.source].streams[unit.stream].scope
    for account in settings.accounts_of(unit.source):
        if unit.account == (account.account if scope == "account" else account.connection):
            return account
    raise Refused(
        f"{unit_label(unit)}: no such account in the settings", "list it under [[accounts]]"
    )
