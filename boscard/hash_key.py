"""The key of personal columns' hashes: from an Airflow connection, or made here for the sandbox."""

from __future__ import annotations

import os
import secrets

from boscard.connections import read_connection
from boscard.home import Home
from boscard.made_secrets import made_once
from boscard.settings import Settings, SettingsError
from warehouse.personal import HashKey

CONNECTION = "boscard_hash_key"
_LEAST = 32


def hash_key(home: Home, settings: Settings) -> HashKey:
    """The password of the connection `boscard_hash_key`.

    The sandbox's people do not exist, so that where it is enabled and no variable defines the
    connection, a key is made once below `home`. Raises SettingsError where there is none, or where
    it is too short to withstand trying.
    """
    if settings.sandbox.enabled and f"AIRFLOW_CONN_{CONNECTION.upper()}" not in os.environ:
        return HashKey(made_once(home.hash_key, lambda: secrets.token_hex(32)).encode())
    key = read_connection(CONNECTION).password
    if len(key) < _LEAST:
        raise SettingsError(
            f"the connection {CONNECTION!r} holds no key for the hashes of personal data, or one "
            f"shorter than {_LEAST} characters: put a random one into its password "
            "(docs/accounts.md says how)"
        )
    return HashKey(key.encode())
