"""HubSpot's CRM over REST: lists, search, batch reads, associations, owners and pipelines."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from sandbox.exchange import Asked, Reply, World
from sandbox.faults import Fault, Struck
from sandbox.hubspot_access import Access, RefusedError
from sandbox.hubspot_objects import ASSOCIATION_TYPES, TYPES, Crm, Records, pipelines
from sandbox.hubspot_search import MOST_RESULTS, SearchError, search
from sandbox.limits import Limits
from sandbox.row_faults import changed_records
from sandbox.tokens import Tokens

TOKEN_PATH = re.compile(r"^/oauth/(?:v1|v3|2025-09|2026-03|2026-09)/token$")
VERSION = r"/crm(?:/v3/objects|/objects/(?:2025-09|2026-03|2026-09))"
LIST = re.compile(VERSION + r"/(\w+)$")
SEARCH = re.compile(VERSION + r"/(\w+)/search$")
BATCH = re.compile(VERSION + r"/(\w+)/batch/read$")
ONE = re.compile(VERSION + r"/(\w+)/(\d+)$")
ASSOCIATIONS = re.compile(r"^/crm(?:/v4/associations|/associations/[\d-]+)/(\w+)/(\w+)/batch/read$")
OWNERS = re.compile(r"^/crm(?:/v3/owners|/owners/[\d-]+)/?$")
PIPELINES = re.compile(r"^/crm(?:/v3/pipelines|/pipelines/[\d-]+)/deals$")
PROPERTIES = re.compile(r"^/crm(?:/v3/properties|/properties/[\d-]+)/(\w+)$")
PLURAL = {"contact": "contacts", "company": "companies", "deal": "deals", "0-1": "contacts"}


class HubSpot:
    """The vendor."""

    def __init__(
        self,
        tokens: Tokens,
        limits: Limits,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tokens = tokens
        self._access = Access(tokens, limits, monotonic)
        self._crm: Crm | None = None
        self._lock = threading.Lock()

    @staticmethod
    def is_token_call(asked: Asked) -> bool:
        return TOKEN_PATH.match(asked.path) is not None

    @staticmethod
    def stream(asked: Asked) -> str:
        """What a call asks for: `contacts`, `deal_contacts`, `owners`, … or empty."""
        found = ASSOCIATIONS.match(asked.path)
        if found:
            of, to = _plural(found.group(1)), _plural(found.group(2))
            return f"{TYPES[of].singular}_{to}" if of in TYPES else ""
        for pattern in (LIST, SEARCH, BATCH, ONE):
            found = pattern.match(asked.path)
            if found:
                return found.group(1)
        if OWNERS.match(asked.path):
            return "owners"
        return "pipelines" if PIPELINES.match(asked.path) else ""

    def throttled(self, asked: Asked, fault: Fault) -> Reply:
        return self._access.throttled(int(fault["seconds"]), is_search=_is_search(asked))

    def broken(self, asked: Asked, status: int) -> Reply:
        return self._access.broken(status)

    def answer(self, asked: Asked, struck: Struck, world: World) -> Reply:
        """Answer one call."""
        if self.is_token_call(asked):
            return self._access.token(asked)
        try:
            standing = self._access.authenticated(asked, world)
            refused = self._access.limited(standing, world, is_search=_is_search(asked))
            if refused is not None:
                return refused
            with self._lock:
                if self._crm is None or self._crm.snapshot is not world.snapshot:
                    self._crm = Crm(world.snapshot)
                crm = self._crm
            status, content = self._found(asked, crm, struck, world)
        except RefusedError as refused_call:
            return self._access.refusal(refused_call)
        headers = {} if _is_search(asked) else self._access.rate_headers(standing)
        return self._access.reply(status, content, headers)

    def _found(
        self, asked: Asked, crm: Crm, struck: Struck, world: World
    ) -> tuple[int, dict[str, Any]]:
        path, method = asked.path, asked.method
        if method == "GET" and (found := LIST.match(path)):
            return 200, self._list(asked, crm, _type(found.group(1)), struck, world)
        if method == "POST" and (found := SEARCH.match(path)):
            return 200, self._search(asked, crm, _type(found.group(1)), struck, world)
        if method == "POST" and (found := BATCH.match(path)):
            return self._batch(asked, crm, _type(found.group(1)), struck, world)
        if method == "GET" and (found := ONE.match(path)):
            return 200, self._one(asked, crm, _type(found.group(1)), found.group(2))
        if method == "POST" and (found := ASSOCIATIONS.match(path)):
            return self._associations(asked, crm, found.group(1), found.group(2), world)
        if method == "GET" and OWNERS.match(path):
            return 200, self._owners(asked, crm, struck)
        if method == "GET" and PIPELINES.match(path):
            return 200, {"results": pipelines(f"{world.snapshot.start}T00:00:00.000Z")}
        if method == "GET" and (found := PROPERTIES.match(path)):
            return 200, _properties(_type(found.group(1)))
        raise RefusedError(404, "OBJECT_NOT_FOUND", f"No resource at {method} {path}.")

    def _list(
        self, asked: Asked, crm: Crm, name: str, struck: Struck, world: World
    ) -> dict[str, Any]:
        history = _names(asked.query.get("propertiesWithHistory"))
        limit = _limit(asked.query.get("limit"), 50 if history else 100)
        records = crm.records[name]
        places = np.flatnonzero(records.is_archived == _is_archived(asked))
        after = asked.query.get("after") or "0"
        if not after.isdigit():
            raise RefusedError(400, "VALIDATION_ERROR", f"Invalid after: {after}")
        start = int(np.searchsorted(records.ids[places], int(after)))
        first = max(0, start - limit) if "repeat_page" in struck and start else start
        stop = first + limit
        if overlap := struck.first("overlap"):
            first = max(0, start - (overlap.rows or 0))
        chosen = _names(asked.query.get("properties")) or records.kind.defaults
        rows = [records.row(place, chosen, history) for place in places[first:stop].tolist()]
        for row in rows:
            _associate(row, crm, name, _names(asked.query.get("associations")))
        rows = changed_records(
            rows, records, struck.of_rows, f"{asked.path}?{dict(asked.query)}", world
        )
        return self._paged(asked, rows, _next(records, places, start + limit), struck)

    def _paged(
        self, asked: Asked, rows: list[dict[str, Any]], following: str | None, struck: Struck
    ) -> dict[str, Any]:
        if "repeat_token" in struck:
            following = asked.query.get("after") or "1"
        if "empty_page" in struck:
            rows, following = [], f"0{asked.query.get('after') or '0'}"
        if following is None:
            return {"results": rows}
        others = "".join(f"&{key}={value}" for key, value in asked.query.items() if key != "after")
        link = f"{asked.base_url}{asked.path}?after={following}{others}"
        return {"results": rows, "paging": {"next": {"after": following, "link": link}}}

    def _search(
        self, asked: Asked, crm: Crm, name: str, struck: Struck, world: World
    ) -> dict[str, Any]:
        body = _body(asked)
        limit = _limit(body.get("limit"), 200)
        after = str(body.get("after") or "0")
        if not after.isdigit() or int(after) >= MOST_RESULTS:
            raise RefusedError(
                400, "VALIDATION_ERROR", f"There was a problem with the request: after {after}."
            )
        lag = struck.first("index_lag")
        until = world.now - timedelta(seconds=float(lag["seconds"])) if lag else None
        records = crm.records[name]
        try:
            places = search(records, body, until)
            if lag:
                lag.record(f"{asked.path} {asked.body!r}", len(search(records, body)) - len(places))
        except SearchError as error:
            raise RefusedError(400, "VALIDATION_ERROR", str(error)) from None
        start = int(after)
        first = max(0, start - limit) if "repeat_page" in struck else start
        stop = min(first + limit, MOST_RESULTS)
        if overlap := struck.first("overlap"):
            first = max(0, start - (overlap.rows or 0))
        chosen = body.get("properties") or records.kind.defaults
        rows = [records.row(place, chosen) for place in places[first:stop].tolist()]
        rows = changed_records(rows, records, struck.of_rows, f"{asked.path} {asked.body!r}", world)
        found: dict[str, Any] = {"total": len(places), "results": rows}
        if "repeat_token" in struck:
            found["paging"] = {"next": {"after": after if start else str(limit)}}
        elif "empty_page" in struck:
            found |= {"results": [], "paging": {"next": {"after": f"0{after}"}}}
        elif start + limit < len(places):
            found["paging"] = {"next": {"after": str(start + limit)}}
        return found

    def _batch(
        self, asked: Asked, crm: Crm, name: str, struck: Struck, world: World
    ) -> tuple[int, dict[str, Any]]:
        body = _body(asked)
        history = tuple(body.get("propertiesWithHistory") or ())
        most = 50 if history else 100
        wanted = _inputs(body, most)
        records = crm.records[name]
        places = [(record_id, records.place(record_id)) for record_id in wanted]
        is_archived = _is_archived(asked)
        known = [
            place
            for _, place in places
            if place is not None and records.is_archived[place] == is_archived
        ]
        missing = [
            record_id
            for record_id, place in places
            if place is None or records.is_archived[place] != is_archived
        ]
        chosen = body.get("properties") or records.kind.defaults
        rows = [records.row(place, chosen, history) for place in dict.fromkeys(known)]
        rows = changed_records(rows, records, struck.of_rows, f"{asked.path} {asked.body!r}", world)
        errors = []
        if missing:
            message = (
                f"Could not get some {name.upper()} objects, they may be deleted or not exist. "
                "Check that ids are valid."
            )
            error = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": message}
            errors.append(error | {"context": {"ids": missing}})
        return _multi(rows, errors, world)

    def _one(self, asked: Asked, crm: Crm, name: str, record_id: str) -> dict[str, Any]:
        records = crm.records[name]
        place = records.place(record_id)
        if place is None or records.is_archived[place] != _is_archived(asked):
            raise RefusedError(
                404, "OBJECT_NOT_FOUND", "Object not found.  objectId are usually numeric."
            )
        history = _names(asked.query.get("propertiesWithHistory"))
        chosen = _names(asked.query.get("properties")) or records.kind.defaults
        row = records.row(place, chosen, history)
        _associate(row, crm, name, _names(asked.query.get("associations")))
        return row

    def _associations(
        self, asked: Asked, crm: Crm, of: str, to: str, world: World
    ) -> tuple[int, dict[str, Any]]:
        pair = (_type(_plural(of)), _type(_plural(to)))
        if pair not in ASSOCIATION_TYPES:
            raise RefusedError(400, "VALIDATION_ERROR", f"No association from {of} to {to}.")
        kind = {"category": "HUBSPOT_DEFINED", "typeId": ASSOCIATION_TYPES[pair], "label": None}
        rows, errors = [], []
        one, other = TYPES[pair[0]].singular, TYPES[pair[1]].singular
        for record_id in _inputs(_body(asked), 1_000):
            found = crm.associated(*pair, record_id)
            if found:
                to_all = [{"toObjectId": number, "associationTypes": [kind]} for number in found]
                rows.append({"from": {"id": record_id}, "to": to_all})
                continue
            error = {
                "status": "error",
                "category": "OBJECT_NOT_FOUND",
                "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
                "message": f"No {other} is associated with {one} {record_id}.",
            }
            context = {
                "fromObjectId": [record_id],
                "fromObjectType": [one],
                "toObjectType": [other],
            }
            errors.append(error | {"context": context})
        return _multi(rows, errors, world)

    def _owners(self, asked: Asked, crm: Crm, struck: Struck) -> dict[str, Any]:
        limit = _limit(asked.query.get("limit"), 500, default=100)
        after = asked.query.get("after") or "0"
        owners = [owner for owner in crm.owners if owner["archived"] == _is_archived(asked)]
        start = int(after) if after.isdigit() else 0
        following = str(start + limit) if start + limit < len(owners) else None
        return self._paged(asked, owners[start : start + limit], following, struck)


def _is_search(asked: Asked) -> bool:
    return SEARCH.match(asked.path) is not None


def _plural(name: str) -> str:
    return PLURAL.get(name, name)


def _type(name: str) -> str:
    if name not in TYPES:
        raise RefusedError(404, "OBJECT_NOT_FOUND", f"Unable to infer object type from: {name}")
    return name


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _is_archived(asked: Asked) -> bool:
    return asked.query.get("archived", "false").lower() == "true"


def _limit(given: Any, most: int, default: int = 10) -> int:
    text = str(given) if given is not None else str(default)
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise RefusedError(
            400, "VALIDATION_ERROR", f"Invalid limit {text}: it must be between 1 and {most}."
        )
    return int(text)


def _body(asked: Asked) -> dict[str, Any]:
    body = asked.json_object()
    if body is None:
        raise RefusedError(
            400, "VALIDATION_ERROR", "Invalid input JSON: the body is not a JSON object."
        )
    return body


def _inputs(body: Mapping[str, Any], most: int) -> list[str]:
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not all(
        isinstance(one, dict) and "id" in one for one in inputs
    ):
        raise RefusedError(
            400, "VALIDATION_ERROR", "Invalid input JSON: inputs must be a list of ids."
        )
    if len(inputs) > most:
        raise RefusedError(
            400, "VALIDATION_ERROR", f"Maximum number of inputs is {most}, got {len(inputs)}."
        )
    return [str(one["id"]) for one in inputs]


def _next(records: Records, places: np.ndarray, stop: int) -> str | None:
    """The cursor of the next page: one past the last id of this one."""
    return str(int(records.ids[places[stop - 1]]) + 1) if stop < len(places) else None


def _associate(row: dict[str, Any], crm: Crm, name: str, others: Sequence[str]) -> None:
    """Add up to 100 associated ids of each asked type; v4 has them all."""
    for other in (_plural(one) for one in others):
        found = crm.associated(name, other, row["id"]) if other in TYPES else []
        if found:
            kind = f"{TYPES[name].singular}_to_{TYPES[other].singular}"
            results = [{"id": str(number), "type": kind} for number in found[:100]]
            row.setdefault("associations", {})[other] = {"results": results}


def _multi(
    rows: list[dict[str, Any]], errors: list[dict[str, Any]], world: World
) -> tuple[int, dict[str, Any]]:
    at = f"{world.now:%Y-%m-%dT%H:%M:%S}.000Z"
    content: dict[str, Any] = {
        "status": "COMPLETE",
        "results": rows,
        "startedAt": at,
        "completedAt": at,
    }
    if not errors:
        return 200, content
    return 207, content | {"numErrors": len(errors), "errors": errors}


def _properties(name: str) -> dict[str, Any]:
    kinds = {"datetime": "date", "number": "number", "enumeration": "select", "string": "text"}
    return {
        "results": [
            {"name": prop, "label": prop, "type": kind, "fieldType": kinds[kind], "groupName": name}
            for prop, (_, kind) in TYPES[name].properties.items()
        ]
    }
