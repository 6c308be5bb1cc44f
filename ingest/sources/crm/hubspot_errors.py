"""What HubSpot's error answers mean."""

from __future__ import annotations

from ingest.error_table import Problem, Rule, retry_after
from ingest.errors import Refused, Throttled, Transient, UsedUp
from ingest.exchange import Reply


def explain(reply: Reply) -> Problem:
    """Category, error type and policy as codes; a missing permission is named in the detail."""
    body = reply.json()
    if not isinstance(body, dict):
        return Problem()
    codes = {body.get("category"), body.get("errorType"), body.get("policyName")}
    words = [str(body.get("message") or "")]
    for error in body.get("errors") or ():
        context = error.get("context") if isinstance(error, dict) else None
        scopes = (context or {}).get("requiredGranularScopes")
        words += [f"needs {', '.join(map(str, scopes))}"] if scopes else []
    return Problem(
        codes=frozenset(str(code) for code in codes if code),
        detail="; ".join(word for word in words if word),
        wait=retry_after(reply.headers),
    )


RULES = (
    Rule(UsedUp, "today's calls are used up", status=(429,), codes=("DAILY",), wait=3600),
    Rule(
        Throttled,
        "too many calls in ten seconds",
        status=(429,),
        codes=("TEN_SECONDLY_ROLLING",),
        wait=10,
    ),
    Rule(Throttled, "too many searches in a second", status=(429,), wait=2),
    Rule(Throttled, "HubSpot is moving the portal's data", status=(477,), wait=600),
    Rule(Transient, "HubSpot has trouble", status=(423, 500, 502, 503, 504, 521, 523, 524)),
    Rule(
        Refused,
        "access was revoked or has expired",
        "authorise Boscard again at HubSpot and put the new refresh_token (or a new private-app "
        "token) into the connection",
        status=(401,),
    ),
    Rule(
        Refused,
        "the app may not read this",
        "give the app the scopes crm.objects.contacts.read, crm.objects.companies.read, "
        "crm.objects.deals.read and crm.objects.owners.read, then authorise it again",
        status=(403,),
    ),
    Rule(
        Refused,
        "HubSpot has no such object or address",
        "check the connection's host and that the portal has the CRM",
        status=(404,),
    ),
    Rule(
        Refused,
        "HubSpot rejects the request",
        "report it with the message above: the request must be changed",
        status=(400,),
    ),
)
