"""Typeform over REST: forms and their responses, newest first and paged by token, as the vendor
answers them.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from sandbox.exchange import Asked, Reply, World
from sandbox.faults import Fault, Struck
from sandbox.limits import Limits, Rolling
from sandbox.row_faults import changed_responses
from sandbox.tokens import Granted, Tokens
from sandbox.typeform_records import FormBook, Response, Surveys, moment

TOKEN_PATH = "/oauth/token"  # noqa: S105
FORMS = re.compile(r"^/forms/?$")
FORM = re.compile(r"^/forms/(\w+)/?$")
RESPONSES = re.compile(r"^/forms/(\w+)/responses/?$")
TYPES = ("completed", "partial", "started")


class RefusedError(Exception):
    """A call the vendor refuses."""

    def __init__(self, status: int, code: str, description: str, **more: Any) -> None:
        super().__init__(description)
        self.status = status
        self.content = {"code": code, "description": description, **more}


class Typeform:
    """The vendor. Each bearer token has its own rate limit."""

    def __init__(
        self,
        tokens: Tokens,
        limits: Limits,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tokens = tokens
        self._limit = limits.typeform_per_second
        self._monotonic = monotonic
        self._by_token: dict[str, Rolling] = {}
        self._surveys: Surveys | None = None
        self._lock = threading.Lock()

    @staticmethod
    def is_token_call(asked: Asked) -> bool:
        return asked.path == TOKEN_PATH

    @staticmethod
    def stream(asked: Asked) -> str:
        """What a call asks for: `forms`, `responses` (completed), `partial_responses`, or empty."""
        if RESPONSES.match(asked.path):
            kinds = _kinds(asked.query)
            return "responses" if kinds == {"completed"} else "partial_responses"
        return "forms" if FORMS.match(asked.path) or FORM.match(asked.path) else ""

    def throttled(self, asked: Asked, fault: Fault) -> Reply:
        return _too_many(int(fault["seconds"]))

    def broken(self, asked: Asked, status: int) -> Reply:
        content = {"code": "INTERNAL_SERVER_ERROR", "description": "Internal server error"}
        return Reply.of(status, content)

    def answer(self, asked: Asked, struck: Struck, world: World) -> Reply:
        """Answer one call."""
        if self.is_token_call(asked):
            return self._token(asked)
        try:
            token = self._authenticated(asked)
            with self._lock:
                rolling = self._by_token.setdefault(
                    token, Rolling(self._limit, 1.0, self._monotonic)
                )
                if self._surveys is None or self._surveys.snapshot is not world.snapshot:
                    self._surveys = Surveys(world.snapshot)
                surveys = self._surveys
            wait = rolling.take()
            if wait:
                return _too_many(math.ceil(wait))
            return Reply.of(200, self._found(asked, surveys, struck, world))
        except RefusedError as refusal:
            return Reply.of(refusal.status, refusal.content)

    def _token(self, asked: Asked) -> Reply:
        granted = self.tokens.refresh(asked.form())
        if isinstance(granted, Granted):
            content = {
                "access_token": granted.access_token,
                "expires_in": granted.expires_in,
                "token_type": "bearer",
                "refresh_token": granted.refresh_token,
            }
            return Reply.of(200, content)
        descriptions = {
            "invalid_grant": "The refresh token is invalid, expired or revoked",
            "invalid_client": "Client authentication failed",
            "unsupported_grant_type": "The grant type is not supported",
        }
        return Reply.of(400, {"error": granted, "error_description": descriptions[granted]})

    def _authenticated(self, asked: Asked) -> str:
        if asked.bearer is None:
            raise RefusedError(
                401,
                "AUTHENTICATION_FAILED",
                "Authentication credentials not found on the Request Headers",
            )
        standing = self.tokens.standing(asked.bearer)
        if standing.standing != "valid":
            status = 401 if standing.standing == "expired" else 403
            raise RefusedError(status, "AUTHENTICATION_FAILED", "Invalid token")
        return asked.bearer

    def _found(
        self, asked: Asked, surveys: Surveys, struck: Struck, world: World
    ) -> dict[str, Any]:
        if asked.method == "GET":
            if FORMS.match(asked.path):
                return _forms(asked, surveys)
            if found := FORM.match(asked.path):
                return _form(surveys, found.group(1)).definition(asked.base_url)
            if found := RESPONSES.match(asked.path):
                return _responses(asked, _form(surveys, found.group(1)), struck, world)
        raise RefusedError(404, "NOT_FOUND", "Endpoint not found")


def _too_many(seconds: int) -> Reply:
    content = {
        "code": "TOO_MANY_REQUESTS",
        "description": "You have exceeded your request rate limit",
    }
    return Reply.of(429, content, {"Retry-After": str(max(seconds, 1))})


def _form(surveys: Surveys, form_id: str) -> FormBook:
    form = surveys.forms.get(form_id)
    if form is None:
        raise RefusedError(404, "FORM_NOT_FOUND", f"Non existing form with uid {form_id}")
    return form


def _forms(asked: Asked, surveys: Surveys) -> dict[str, Any]:
    size = _size(asked.query, default=10, most=200)
    page = _number(asked.query, "page", 1)
    forms = list(surveys.forms.values())
    if asked.query.get("order_by", "desc") == "desc":
        forms.reverse()
    items = [form.listed(asked.base_url) for form in forms[(page - 1) * size : page * size]]
    return {"total_items": len(forms), "page_count": math.ceil(len(forms) / size), "items": items}


def _responses(asked: Asked, form: FormBook, struck: Struck, world: World) -> dict[str, Any]:
    query = asked.query
    size = _size(query, default=25, most=1_000)
    found = _asked_for(query, form.responses)
    before, after = query.get("before"), query.get("after")
    if (before or after) and query.get("sort"):
        _invalid("sort", "sort cannot be used together with before or after")
    if before and "repeat_page" not in struck and "repeat_token" not in struck:
        overlap = struck.first("overlap")
        place = _place(found, form, before, "before") + 1
        found = found[max(0, place - (overlap.rows or 0) if overlap else place) :]
    elif after:
        found = found[: _place(found, form, after, "after")][::-1]
    elif query.get("sort"):
        found = _sorted(found, query["sort"])
    chosen = [] if "empty_page" in struck else found[:size]
    rows = [response.content() for response in chosen]
    label = f"{asked.path}?{dict(query)}"
    rows = changed_responses(rows, form, struck.of_rows, label, world)
    return {"total_items": len(found), "page_count": math.ceil(len(found) / size), "items": rows}


def _asked_for(query: Mapping[str, str], responses: list[Response]) -> list[Response]:
    kinds = _kinds(query)
    unknown = kinds - set(TYPES)
    if unknown:
        _invalid("response_type", f"unknown response type {', '.join(sorted(unknown))}")
    found = [response for response in responses if response.kind in kinds]
    for name in ("since", "until"):
        if query.get(name):
            limit = moment(query[name])
            if limit is None:
                _invalid(name, f"{query[name]} is neither ISO 8601 to the second nor unix seconds")
            is_since = name == "since"
            found = [
                response
                for response in found
                if (response.staged_at >= limit if is_since else response.staged_at <= limit)
            ]
    included = set(filter(None, query.get("included_response_ids", "").split(",")))
    excluded = set(filter(None, query.get("excluded_response_ids", "").split(",")))
    if included or excluded:
        found = [
            response
            for response in found
            if (not included or response.token in included) and response.token not in excluded
        ]
    return found


def _kinds(query: Mapping[str, str]) -> set[str]:
    if query.get("response_type"):
        return {kind.strip() for kind in query["response_type"].split(",")}
    return {"partial", "started"} if query.get("completed") == "false" else {"completed"}


def _place(found: list[Response], form: FormBook, token: str, name: str) -> int:
    """Where a cursor stands in what was asked for; one outside it stands where it would be."""
    own = form.by_token.get(token)
    if own is None:
        _invalid(name, f"{token} is not a response of this form")
    for place, response in enumerate(found):
        if response.token == token:
            return place
        if response.order < own.order:
            return place - 1 if name == "before" else place
    return len(found) - 1 if name == "before" else len(found)


def _sorted(found: list[Response], sort: str) -> list[Response]:
    name, _, direction = sort.partition(",")
    if name not in ("submitted_at", "landed_at", "staged_at") or direction not in (
        "",
        "asc",
        "desc",
    ):
        _invalid("sort", f"{sort} is not a sort such as submitted_at,asc")
    key = (
        (lambda response: (response.landed_at, response.token))
        if name == "landed_at"
        else (lambda response: response.order)
    )
    return sorted(found, key=key, reverse=direction != "asc")


def _size(query: Mapping[str, str], default: int, most: int) -> int:
    size = _number(query, "page_size", default)
    if not 1 <= size <= most:
        _invalid("page_size", f"page_size must be between 1 and {most}")
    return size


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdigit() or int(text) < 1:
        _invalid(name, f"{text} is not a positive whole number")
    return int(text)


def _invalid(name: str, description: str) -> NoReturn:
    detail = {"field": name, "description": description, "in": "query", "code": "INVALID_VALUE"}
    raise RefusedError(400, "VALIDATION_ERROR", "Invalid query parameters", details=[detail])
