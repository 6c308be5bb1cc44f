"""Google Ads over REST: `:search`, `:searchStream` and the token endpoint, as the vendor answers
them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from sandbox import google_ads_errors as errors
from sandbox.exchange import Asked, Reply, World
from sandbox.faults import Fault, Struck
from sandbox.gaql import QueryError, parse
from sandbox.google_ads_fields import SEGMENT, check
from sandbox.google_ads_json import Rows, search_reply, stream_reply
from sandbox.google_ads_report import Reports
from sandbox.limits import Daily, Limits, Rolling
from sandbox.row_faults import changed_report
from sandbox.snapshot import MANAGER_ACCOUNT
from sandbox.tokens import KEY, Granted, Tokens

VERSIONS = ("v23", "v24", "v25", "v26")
TOKEN_PATHS = ("/token", "/oauth2/v3/token", "/o/oauth2/token")
SEARCH = re.compile(r"^/(v\d+)/customers/([^/]+)/googleAds:(search|searchStream)$")
ACCESSIBLE = re.compile(r"^/(v\d+)/customers:listAccessibleCustomers$")
STREAM_NAMES = {
    "customer_client": "customers",
    "customer": "customers",
    "campaign": "campaigns",
    "ad_group": "ad_groups",
    "ad_group_ad": "ads",
}
DAILY_NAMES = {
    "customer": "customer_daily",
    "campaign": "campaign_daily",
    "ad_group": "ad_group_daily",
    "ad_group_ad": "ad_daily",
}
BODY_FIELDS = {"query", "pageToken", "pageSize", "validateOnly", "searchSettings", "customerId"}
KEPT_REPORTS = 8


class RefusedError(Exception):
    """A call the vendor refuses, as the body it answers with."""

    def __init__(self, status: int, content: Mapping[str, Any]) -> None:
        super().__init__(str(status))
        self.status = status
        self.content = content


class GoogleAds:
    """The vendor. Reports are computed once for each query and paged from there."""

    def __init__(
        self,
        tokens: Tokens,
        limits: Limits,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tokens = tokens
        self._page_rows = limits.google_ads_page_rows
        self._operations = Daily(limits.google_ads_operations_a_day)
        self._queries_per_second = limits.google_ads_queries_per_second
        self._monotonic = monotonic
        self._by_customer: dict[str, Rolling] = {}
        self._reports: Reports | None = None
        self._answered: OrderedDict[tuple[object, ...], Rows] = OrderedDict()
        self._calls = 0
        self._lock = threading.Lock()

    @staticmethod
    def is_token_call(asked: Asked) -> bool:
        return asked.path in TOKEN_PATHS

    @staticmethod
    def stream(asked: Asked) -> str:
        """The name of what a call asks for: `campaigns`, `campaign_daily`, … or empty."""
        text = str((asked.json_object() or {}).get("query", ""))
        found = re.search(r"\bFROM\s+(\w+)", text, re.IGNORECASE)
        if found is None:
            return ""
        selected = text[: found.start()]
        names = DAILY_NAMES if SEGMENT in selected else STREAM_NAMES
        return names.get(found.group(1), found.group(1))

    def throttled(self, asked: Asked, fault: Fault) -> Reply:
        body = errors.throttled(
            int(fault["seconds"]), version=_version(asked), request_id=self._request_id()
        )
        return self._error(asked, 429, body)

    def broken(self, asked: Asked, status: int) -> Reply:
        return self._error(asked, status, errors.plain(status))

    def answer(self, asked: Asked, struck: Struck, world: World) -> Reply:
        """Answer one call."""
        if self.is_token_call(asked):
            return self._token(asked)
        try:
            return self._authenticated(asked, struck, world)
        except RefusedError as refusal:
            return self._error(asked, refusal.status, refusal.content)

    def _token(self, asked: Asked) -> Reply:
        if asked.method != "POST":
            return errors.indented(404, errors.plain(404))
        granted = self.tokens.refresh(asked.form())
        if not isinstance(granted, Granted):
            status, content = errors.TOKEN_DENIALS[granted]
            return errors.indented(status, content)
        return errors.indented(
            200,
            {
                "access_token": granted.access_token,
                "expires_in": granted.expires_in,
                "scope": "https://www.googleapis.com/auth/adwords",
                "token_type": "Bearer",
            },
        )

    def _authenticated(self, asked: Asked, struck: Struck, world: World) -> Reply:
        standing = self.tokens.standing(asked.bearer or "")
        if standing.standing == "revoked":
            self._refuse(
                401, "authenticationError", "OAUTH_TOKEN_REVOKED", "The OAuth token was revoked."
            )
        if standing.standing != "valid":
            raise RefusedError(401, errors.plain(401, errors.NOT_AUTHENTICATED))
        accessible = ACCESSIBLE.match(asked.path)
        search = SEARCH.match(asked.path)
        found = accessible or search
        if found is None or asked.method != ("GET" if accessible else "POST"):
            raise RefusedError(404, errors.plain(404))
        if found.group(1) not in VERSIONS:
            version = found.group(1)
            self._refuse(
                400,
                "requestError",
                "UNSUPPORTED_VERSION",
                f"Version {version} is deprecated or unknown.",
            )
        if search is None:
            names = [f"customers/{MANAGER_ACCOUNT}"]
            return errors.indented(200, {"resourceNames": names}, self._request_id())
        with self._lock:
            if self._reports is None or self._reports.snapshot is not world.snapshot:
                self._reports = Reports(world.snapshot)
                self._answered.clear()
            reports = self._reports
        account_id = self._account(asked, search.group(2), reports)
        if "disable" in struck:
            self._refuse_disabled()
        return self._search(asked, account_id, reports, struck, world, search.group(3))

    def _account(self, asked: Asked, account_id: str, reports: Reports) -> str:
        if not re.fullmatch(r"\d{10}", account_id):
            self._refuse(
                400, "requestError", "INVALID_CUSTOMER_ID", f"Invalid customer ID '{account_id}'."
            )
        login = asked.headers.get("login-customer-id")
        if login is not None and not re.fullmatch(r"\d{10}", login):
            self._refuse(
                400,
                "headerError",
                "INVALID_LOGIN_CUSTOMER_ID",
                "The login customer ID could not be validated.",
            )
        account = reports.accounts.get(account_id)
        if account is None:
            self._refuse(
                401, "authenticationError", "CUSTOMER_NOT_FOUND", "No customer found for the ID."
            )
        if login not in (MANAGER_ACCOUNT, *([None] if account_id == MANAGER_ACCOUNT else [])):
            self._refuse(
                403,
                "authorizationError",
                "USER_PERMISSION_DENIED",
                "User doesn't have permission to access customer. Note: If you're accessing a "
                "client customer, the manager's customer id must be set in the "
                "'login-customer-id' header.",
            )
        if account["status"] != "ENABLED":
            self._refuse_disabled()
        return account_id

    def _search(
        self,
        asked: Asked,
        account_id: str,
        reports: Reports,
        struck: Struck,
        world: World,
        verb: str,
    ) -> Reply:
        body = self._body(asked)
        text, token = str(body.get("query") or ""), str(body.get("pageToken") or "")
        if not text:
            self._refuse(
                400, "requestError", "REQUIRED_FIELD_MISSING", "Required field is missing: query."
            )
        has_total = bool((body.get("searchSettings") or {}).get("returnTotalResultsCount"))
        digest = hashlib.sha256(f"{account_id}\n{text}\n{has_total}".encode()).hexdigest()[:16]
        offset = self._offset(token, digest, world) if token else 0
        if not token:
            self._count(account_id, world)
        rows = self._rows(account_id, text, reports, struck, world)
        if verb == "searchStream":
            return self._stream(rows)
        start = offset
        if "repeat_page" in struck and offset:
            start = max(0, offset - self._page_rows)
        if overlap := struck.first("overlap"):
            start = max(0, offset - (overlap.rows or 0))
        is_empty = "empty_page" in struck
        following = offset if is_empty else offset + self._page_rows
        tail: dict[str, str] = {}
        if "repeat_token" in struck:
            tail["nextPageToken"] = token or self._page_token(digest, 0, world)
        elif following < rows.total:
            tail["nextPageToken"] = self._page_token(digest, following, world, is_empty=is_empty)
        if has_total:
            tail["totalResultsCount"] = str(rows.total)
        tail["fieldMask"] = rows.field_mask
        tail["queryResourceConsumption"] = str(1024 + rows.total // 10)
        stop = start + self._page_rows if "repeat_page" in struck else offset + self._page_rows
        page = [] if is_empty else rows.page(start, stop)
        return Reply(200, search_reply(page, tail), {"request-id": self._request_id()})

    def _stream(self, rows: Rows) -> Reply:
        request_id = self._request_id()
        starts = range(0, max(rows.total, 1), self._page_rows)
        chunks = []
        for start in starts:
            tail = {"fieldMask": rows.field_mask, "requestId": request_id}
            if start == starts[-1]:
                tail["queryResourceConsumption"] = str(1024 + rows.total // 10)
            chunks.append((rows.page(start, start + self._page_rows), tail))
        return Reply(200, stream_reply(chunks), {"request-id": request_id})

    def _body(self, asked: Asked) -> dict[str, Any]:
        body = asked.json_object()
        if body is None:
            raise RefusedError(
                400, errors.plain(400, "Invalid JSON payload received. Unexpected token.")
            )
        for name in body:
            if name not in BODY_FIELDS:
                text = f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
                raise RefusedError(400, errors.plain(400, text))
        if "pageSize" in body:
            self._refuse(
                400,
                "requestError",
                "PAGE_SIZE_NOT_SUPPORTED",
                "Setting the page size is not supported.",
            )
        return body

    def _rows(
        self, account_id: str, text: str, reports: Reports, struck: Struck, world: World
    ) -> Rows:
        key = (account_id, text, tuple(fault.fault_id for fault in struck.of_rows))
        with self._lock:
            if key in self._answered:
                self._answered.move_to_end(key)
                return self._answered[key]
        is_manager = bool(reports.accounts[account_id]["is_manager"])
        try:
            query = parse(text)
            days = check(query, is_manager=is_manager, today=reports.today(account_id))
            columns = reports.rows(account_id, query, days)
        except QueryError as error:
            self._refuse(400, "queryError", error.code, error.message)
        label = f"{account_id} {text}"
        changed, names, added = changed_report(
            columns, query.select, struck.of_rows, label, world.as_of_date
        )
        rows = Rows(changed, query.select, query.resource, names, added)
        with self._lock:
            self._answered[key] = rows
            while len(self._answered) > KEPT_REPORTS:
                self._answered.popitem(last=False)
        return rows

    def _count(self, account_id: str, world: World) -> None:
        """One query is one operation, however many pages it has."""
        rolling = self._by_customer.setdefault(
            account_id, Rolling(self._queries_per_second, 1.0, self._monotonic)
        )
        wait = math.ceil(rolling.take())
        if not wait and not self._operations.take(world.as_of_date):
            wait = 40_591
        if wait:
            raise RefusedError(
                429, errors.throttled(wait, version=VERSIONS[-1], request_id=self._request_id())
            )

    def _page_token(self, digest: str, offset: int, world: World, *, is_empty: bool = False) -> str:
        """A token for the rows from `offset` on; the one after an empty page is another one."""
        place = f"0{offset}" if is_empty else str(offset)
        content = f"{digest}:{place}:{world.now.isoformat()}".encode()
        seal = hmac.new(KEY, content, hashlib.sha256).digest()[:9]
        return base64.urlsafe_b64encode(seal + content).decode().rstrip("=")

    def _offset(self, token: str, digest: str, world: World) -> int:
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            bound_to, offset, stamp = raw[9:].decode().split(":", 2)
        except ValueError:
            raw, bound_to, offset, stamp = b"", "", "0", ""
        is_ours = hmac.compare_digest(hmac.new(KEY, raw[9:], hashlib.sha256).digest()[:9], raw[:9])
        if not is_ours or bound_to != digest:
            self._refuse(400, "requestError", "INVALID_PAGE_TOKEN", "The page token is invalid.")
        if stamp != world.now.isoformat():
            self._refuse(400, "requestError", "EXPIRED_PAGE_TOKEN", "The page token has expired.")
        return int(offset)

    def _refuse_disabled(self) -> NoReturn:
        self._refuse(
            403,
            "authorizationError",
            "CUSTOMER_NOT_ENABLED",
            "The customer account can't be accessed because it is not yet enabled or has been "
            "deactivated.",
        )

    def _refuse(self, status: int, family: str, code: str, message: str) -> NoReturn:
        raise RefusedError(
            status,
            errors.failure(
                status, family, code, message, version=VERSIONS[-1], request_id=self._request_id()
            ),
        )

    def _error(self, asked: Asked, status: int, content: Mapping[str, Any]) -> Reply:
        """The error envelope; `searchStream` wraps it in an array."""
        is_stream = asked.path.endswith(":searchStream")
        return errors.indented(status, [content] if is_stream else content, self._request_id())

    def _request_id(self) -> str:
        with self._lock:
            self._calls += 1
            digest = hashlib.sha256(f"request {self._calls}".encode()).digest()[:16]
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _version(asked: Asked) -> str:
    found = re.match(r"^/(v\d+)/", asked.path)
    return found.group(1) if found and found.group(1) in VERSIONS else VERSIONS[-1]
