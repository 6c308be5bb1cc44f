"""What Typeform's error answers mean."""

from __future__ import annotations

from ingest.error_table import Problem, Rule, retry_after
from ingest.errors import Refused, Throttled, Transient
from ingest.exchange import Reply


def explain(reply: Reply) -> Problem:
    """The body's code and description."""
    body = reply.json()
    if not isinstance(body, dict):
        return Problem()
    return Problem(
        codes=frozenset(str(body[key]) for key in ("code",) if body.get(key)),
        detail=str(body.get("description") or ""),
        wait=retry_after(reply.headers),
    )


RULES = (
    Rule(Throttled, "more than two calls in a second", status=(429,), wait=1),
    Rule(
        Refused,
        "access was revoked or has expired",
        "authorise Boscard again at Typeform and put the new refresh_token (or a personal token) "
        "into the connection",
        codes=("AUTHENTICATION_FAILED",),
    ),
    Rule(
        Refused,
        "the token may not read this",
        "authorise with the scopes forms:read, responses:read and offline, as somebody who can "
        "open the forms",
        status=(403,),
    ),
    Rule(Transient, "a form was deleted meanwhile", status=(404,), codes=("FORM_NOT_FOUND",)),
    Rule(
        Refused,
        "Typeform rejects the request",
        "report it with the message above: the request must be changed",
        status=(400,),
    ),
)
