"""Rotated refresh tokens inside Airflow tasks: Airflow Variables, sealed before they get here."""

from __future__ import annotations


class VariableTokens:
    """One Airflow Variable a connection; works in tasks only."""

    def load(self, name: str) -> str | None:
        from airflow.sdk import Variable

        value: str | None = Variable.get(_key(name), default=None)
        return value

    def save(self, name: str, value: str) -> None:
        from airflow.sdk import Variable

        Variable.set(_key(name), value, description="Rotated refresh token, sealed (Boscard)")


def _key(name: str) -> str:
    return f"boscard_token_{name}"
