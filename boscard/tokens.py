"""Rotated refresh tokens as Airflow Variables, sealed before they get here.

A task reaches them through Airflow's execution API, a command line through Airflow's database; it
is the same Variable, so that neither uses a token which the other has rotated away.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from boscard.home import Home
from ingest.tokens import one_at_a_time


class _OfThisMachine:
    def alone(self, name: str) -> AbstractContextManager[None]:
        return one_at_a_time(Home.default().tokens, name)


class VariableTokens(_OfThisMachine):
    """One Airflow Variable a connection; works in tasks only."""

    def load(self, name: str) -> str | None:
        from airflow.sdk import Variable

        value: str | None = Variable.get(_key(name), default=None)
        return value

    def save(self, name: str, value: str) -> None:
        from airflow.sdk import Variable

        Variable.set(_key(name), value, description=DESCRIPTION)


class DatabaseTokens(_OfThisMachine):
    """The same Variables outside tasks; needs Airflow's database to be there."""

    def load(self, name: str) -> str | None:
        from airflow.models.variable import Variable

        value: str | None = Variable.get(_key(name), default_var=None)
        return value

    def save(self, name: str, value: str) -> None:
        from airflow.models.variable import Variable

        Variable.set(_key(name), value, description=DESCRIPTION)


DESCRIPTION = "Rotated refresh token, sealed (Boscard)"


def _key(name: str) -> str:
    return f"boscard_token_{name}"
