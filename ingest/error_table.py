"""Error tables are data: which answer means what, in readable words and with the next step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from ingest.errors import IngestError, Refused, Throttled, Transient
from ingest.exchange import Reply


@dataclass(frozen=True, slots=True)
class Problem:
    """What a vendor said in an error body: its codes, its own words, the seconds it asks for."""

    codes: frozenset[str] = frozenset()
    detail: str = ""
    wait: float | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """Answers with one of `status` and one of `codes` (either may be left out) raise `raises`."""

    raises: type[IngestError]
    message: str
    next_step: str = ""
    status: tuple[int, ...] = ()
    codes: tuple[str, ...] = ()
    wait: float = 60.0

    def matches(self, status: int, codes: frozenset[str]) -> bool:
        return (not self.status or status in self.status) and (
            not self.codes or bool(codes & set(self.codes))
        )


Explain = Callable[[Reply], Problem]

GENERAL = (
    Rule(Throttled, "the vendor limits our calls", status=(429,)),
    Rule(
        Refused,
        "the vendor does not accept the credentials",
        "renew the credentials in the connection",
        status=(401,),
    ),
    Rule(
        Refused,
        "the credentials do not allow this",
        "give the account or the app the missing permission",
        status=(403,),
    ),
    Rule(
        Refused,
        "the vendor knows nothing at this address",
        "check the account's id and the connection's host and API version",
        status=(404, 410),
    ),
    Rule(Transient, "the vendor gave up waiting", status=(408, 425)),
    Rule(Transient, "the vendor has trouble", status=tuple(range(500, 600))),
    Rule(
        Refused,
        "the vendor redirects elsewhere",
        "correct the connection's host",
        status=tuple(range(300, 400)),
    ),
    Rule(
        Refused,
        "the vendor rejects the request",
        "report it with the message above: the request must be changed",
        status=tuple(range(400, 500)),
    ),
    Rule(
        Refused,
        "the vendor answered with an error",
        "report it with the message above: the error table should know it",
    ),
)


def understand(
    reply: Reply, title: str, rules: Sequence[Rule], explain: Explain, status: int | None = None
) -> IngestError:
    """The error that an unsuccessful reply means; `status` overrides one hidden in the body."""
    problem = explain(reply)
    status = status or problem.status or reply.status
    rule = next(rule for rule in (*rules, *GENERAL) if rule.matches(status, problem.codes))
    said = ", ".join(sorted(problem.codes))
    facts = f"HTTP {reply.status}" + (f", {said}" if said else "")
    words = f": {problem.detail!r}" if problem.detail else ""
    message = f"{title}: {rule.message} ({facts}{words})"
    if issubclass(rule.raises, Throttled):
        asked = problem.wait if problem.wait is not None else retry_after(reply.headers)
        return rule.raises(message, rule.wait if asked is None else asked, rule.next_step)
    return rule.raises(message, rule.next_step)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header: a number, or a date measured against the Date header."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        until, sent = parsedate_to_datetime(value), parsedate_to_datetime(headers["date"])
        return max(0.0, (until - sent).total_seconds())
    except (KeyError, ValueError, TypeError):
        return None
