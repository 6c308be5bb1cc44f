"""The connections of the sandbox's vendors, in the shape of Airflow connection JSON."""

from __future__ import annotations

from typing import Any

from sandbox.snapshot import MANAGER_ACCOUNT
from sandbox.tokens import DEFAULT_GRANT, ISSUERS, private_token, refresh_token

TOKEN_PATHS = {
    "google_ads": "/token",
    "hubspot": "/oauth/v1/token",
    "typeform": "/oauth/token",
}


def connections(base_url: str, grant: str = DEFAULT_GRANT) -> dict[str, dict[str, Any]]:
    """Connection JSON by source for a sandbox at `base_url`, with OAuth clients and refresh tokens.

    `grant` stands for one consent: where refresh tokens rotate, each grant's rotate on their own.
    """
    found = {}
    for source, issuer in ISSUERS.items():
        host = f"{base_url}/{source}"
        extra = {
            "refresh_token": refresh_token(source, grant),
            "token_url": host + TOKEN_PATHS[source],
        }
        if source == "google_ads":
            extra |= {"login_customer_id": MANAGER_ACCOUNT, "api_version": "v26"}
        found[source] = {
            "conn_type": "http",
            "host": host,
            "login": issuer.client_id,
            "password": issuer.client_secret,
            "extra": extra,
        }
    return found


def private_connection(base_url: str, source: str) -> dict[str, Any]:
    """Connection JSON with a token that never expires: HubSpot's private app, Typeform's personal
    token.
    """
    return {"conn_type": "http", "host": f"{base_url}/{source}", "password": private_token(source)}
