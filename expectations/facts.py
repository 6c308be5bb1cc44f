"""What is known about a batch besides its rows: its account, its night, and earlier batches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from boscard.clock import Clock
from boscard.settings import Account, Settings
from expectations.history import History
from expectations.rules import literal
from ingest.batch import Batch
from ingest.landing import Landing
from ingest.stream import Stream


@dataclass(frozen=True, slots=True)
class Facts:
    """`account` is None for a connection's batch, and for an account no longer in the settings.

    `accounts` are all configured accounts of the source. `horizon`: no record can be younger.
    `time_zone`: the company's.
    """

    batch: Batch
    stream: Stream
    account: Account | None
    accounts: tuple[Account, ...]
    currencies: tuple[str, ...]
    horizon: datetime
    time_zone: str
    history: History
    landing: Landing

    @classmethod
    def of(cls, batch: Batch, stream: Stream, *, landing: Landing, settings: Settings) -> Facts:
        manifest = batch.manifest
        accounts = settings.accounts_of(manifest.source)
        account = None
        if stream.scope == "account":
            account = next((one for one in accounts if one.account == manifest.account), None)
        company = settings.company
        clock = Clock(manifest.as_of_date, company.zone, company.publication_hour)
        known = {one.currency for one in settings.accounts if one.currency}
        return cls(
            batch=batch,
            stream=stream,
            account=account,
            accounts=accounts,
            currencies=tuple(sorted(known | {company.reporting_currency})),
            horizon=max(clock.now, datetime.fromisoformat(manifest.landed_at)),
            time_zone=company.time_zone,
            history=History.of(batch, landing),
            landing=landing,
        )

    def columns(self) -> dict[str, str]:
        """Columns with the same value in each row of the staged batch, as SQL."""
        window = self.batch.manifest.window
        currency = self.account.currency if self.account else None
        return {
            "_window_start": f"date {literal(str(window.start))}" if window else "null::date",
            "_window_end": f"date {literal(str(window.end))}" if window else "null::date",
            "_horizon": f"timestamptz {literal(self.horizon.isoformat())} + interval 1 day",
            "_account": literal(self.batch.manifest.account),
            "_currency": literal(currency) if currency else "null::varchar",
            "_time_zone": literal(self.account.time_zone) if self.account else "null::varchar",
        }


def has_account(facts: Facts) -> bool:
    return facts.account is not None


def has_currency(facts: Facts) -> bool:
    return facts.account is not None and facts.account.currency is not None
