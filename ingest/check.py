"""Whether an account can be pulled: a line each, with the next step where it cannot."""

from __future__ import annotations

from dataclasses import dataclass

from boscard.clock import Clock
from boscard.settings import Account, Settings
from ingest.batch import Unit
from ingest.connections import Connection
from ingest.errors import IngestError
from ingest.pull import Pull, open_client
from ingest.registry import SOURCES
from ingest.session import PATIENCE, Patience
from ingest.tokens import TokenStore


@dataclass(frozen=True, slots=True)
class Check:
    """What was found about one account; str() is its line."""

    account: Account
    is_ok: bool
    words: str

    def __str__(self) -> str:
        account, state = self.account, "ok" if self.is_ok else "WRONG"
        return f"{account.source} {account.account} ({account.name}): {state}: {self.words}"


def check_account(
    account: Account,
    *,
    settings: Settings,
    clock: Clock,
    connection: Connection,
    tokens: TokenStore,
    patience: Patience = PATIENCE,
) -> Check:
    """Try one account with the cheapest calls that prove something; nothing is landed.

    A rotated refresh token is saved all the same, so `tokens` must be the store that nights use.
    """
    source = SOURCES[account.source]
    stream = next(stream for stream in source.streams.values() if stream.scope == "account")
    unit = Unit(source.name, account.account, stream.name, None)
    try:
        client = open_client(source, account.connection, connection, tokens, patience)
        pull = Pull(
            unit, stream, account, connection, client, clock, settings.company.history_start
        )
        wrong = list(source.api.check(pull))
    except IngestError as error:
        return Check(account, is_ok=False, words=str(error))
    if wrong:
        return Check(
            account,
            is_ok=False,
            words=f"{'; '.join(wrong)}. Next step: correct the account in the settings",
        )
    return Check(account, is_ok=True, words=f"{source.title} answers")
