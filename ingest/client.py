"""The HTTP client: one request in, one page out, with short retries in between."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

import msgspec
import requests
import urllib3

from ingest.auth import Auth
from ingest.budget import Budget
from ingest.error_table import Explain, Rule, understand
from ingest.errors import IngestError, Refused, Throttled, Transient
from ingest.exchange import Page, Reply, Request
from ingest.session import PATIENCE, Health, Patience, safe_url

__all__ = ["Client", "Page"]

LOG = logging.getLogger(__name__)
_SURROGATES = re.compile(
    rb"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"  # kept
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_ENVELOPE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])


class Client:
    """Speaks to one vendor for one connection. It knows nothing of paging or of landing."""

    def __init__(
        self,
        *,
        title: str,
        host: str,
        auth: Auth,
        budget: Budget,
        rules: Sequence[Rule],
        explain: Explain,
        headers: Mapping[str, str],
        session: requests.Session,
        health: Health,
        patience: Patience = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._title = title
        self._host = host.rstrip("/")
        self._auth = auth
        self._budget = budget
        self._rules = rules
        self._explain = explain
        self._headers = headers
        self._session = session
        self._health = health
        self._patience = patience
        self._sleep = sleep

    def fetch(self, request: Request) -> Page:
        """The page of a request.

        Raises Transient after the last attempt, Throttled for a long wait, Refused at once.
        """
        started, waited = time.monotonic(), 0.0
        attempts = self._patience.attempts if self._health.is_up else 1
        for attempt in count(1):
            try:
                reply = self._exchange(request)
                milliseconds = round((time.monotonic() - started) * 1000)
                page = self._page(request, reply, attempt, milliseconds)
            except (Transient, Throttled) as error:
                self._scrub(error)
                pause = (
                    max(error.wait, 0.1)
                    if isinstance(error, Throttled)
                    else self._patience.first_pause * 2 ** (attempt - 1)
                )
                waited += pause
                if attempt >= attempts or waited > self._patience.longest_wait:
                    self._health.is_up = isinstance(error, Throttled)
                    raise
                LOG.warning("attempt %d failed, again in %.1f s: %s", attempt, pause, error.message)
                self._sleep(pause)
            except IngestError as error:
                self._scrub(error)
                raise
            else:
                self._health.is_up = True
                return page
        raise AssertionError("unreachable")

    def _exchange(self, request: Request) -> Reply:
        """Walk through the authentication's flow; the last reply is the answer."""
        flow = self._auth.flow(request.with_headers(self._headers))
        try:
            sent = next(flow)
            while True:
                reply = self._send(sent)
                try:
                    sent = flow.send(reply)
                except StopIteration:
                    return reply
        finally:
            flow.close()

    def _send(self, request: Request) -> Reply:
        self._budget.take(request.budget)
        url = request.path if "://" in request.path else self._host + request.path
        headers = {"Accept": "application/json", **request.headers}
        data: bytes | Mapping[str, str] | None = request.form
        if request.body is not None:
            data = msgspec.json.encode(request.body)
            headers["Content-Type"] = "application/json"
        deadline = time.monotonic() + self._patience.body_seconds
        try:
            with self._session.request(
                request.method,
                url,
                params=dict(request.params),
                data=data,
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=(self._patience.connect_seconds, self._patience.read_seconds),
            ) as response:
                pieces = []
                for piece in response.raw.stream(1 << 20, decode_content=True):
                    pieces.append(piece)
                    if time.monotonic() > deadline:
                        raise Transient(f"{self._title}: the answer takes too long to arrive")
        except requests.exceptions.SSLError as error:
            raise Refused(
                f"{self._title}: no trusted TLS connection to {safe_url(url)} ({error})",
                "check the connection's host, a proxy in between, and the machine's certificates",
            ) from None
        except (
            requests.exceptions.MissingSchema,
            requests.exceptions.InvalidSchema,
            requests.exceptions.InvalidURL,
        ) as error:
            raise Refused(
                f"{self._title}: not an address: {safe_url(url)} ({error})",
                "correct the connection's host: it begins with https://",
            ) from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            raise Transient(
                f"{self._title}: no whole answer from {safe_url(url)} ({type(error).__name__})",
                "see that this machine reaches that host; of a vendor that is down the next night"
                " asks for what is missing",
            ) from None
        reply = Reply(
            response.status_code,
            {name.lower(): value for name, value in response.headers.items()},
            b"".join(pieces),
            self._clean(safe_url(response.url)),
        )
        LOG.debug("%s %s %d %d B", request.method, reply.url, reply.status, len(reply.body))
        return reply

    def _page(self, request: Request, reply: Reply, attempts: int, milliseconds: int) -> Page:
        if not 200 <= reply.status < 300:
            raise understand(reply, self._title, self._rules, self._explain)
        rows, envelope = self._split(request, reply)
        return Page(
            rows=rows,
            envelope=envelope,
            method=request.method,
            url=reply.url,
            status=reply.status,
            bytes=len(reply.body),
            sha256=hashlib.sha256(reply.body).hexdigest(),
            attempts=attempts,
            milliseconds=milliseconds,
            context=request.context,
        )

    def _split(self, request: Request, reply: Reply) -> tuple[list[msgspec.Raw], dict[str, Any]]:
        """Rows as bytes, the rest decoded. Only CR and LF between tokens are taken away.

        JSON has no literal CR or LF inside a string, and the decoder refuses a body that does.
        """
        part = "the whole of it"
        try:
            if not reply.body.isascii():
                reply.body.decode("utf-8")
            body, raw = _decoded(reply.body)
            if bytes(raw.get("error", b"null")) != b"null":
                raise understand(reply, self._title, self._rules, self._explain)
            if request.rows is None:
                return [msgspec.Raw(_one_line(body, body))], {}
            envelope = {}
            for key, value in raw.items():
                part = repr(key[:80])
                if key != request.rows:
                    envelope[key] = msgspec.json.decode(value)
            part = repr(request.rows)
            if request.rows in raw:
                return _ROWS.decode(_one_line(raw[request.rows], body)), envelope
        except msgspec.ValidationError as error:
            raise Refused(
                f"{self._title}: the answer of {reply.url} has another shape ({part}: {error})",
                "see whether the vendor changed its API version",
            ) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Transient(
                f"{self._title}: the answer of {reply.url} is cut off or no JSON ({error})"
            ) from None
        except RecursionError:
            raise Refused(
                f"{self._title}: the answer of {reply.url} is nested too deep ({part})",
                "see whether the vendor changed its API version",
            ) from None
        if request.empty_mark is None or request.empty_mark not in raw:
            raise Refused(
                f"{self._title}: the answer of {reply.url} holds no {request.rows!r}",
                "see whether the vendor changed its API version",
            )
        return [], envelope

    def _scrub(self, error: IngestError) -> None:
        error.message = self._clean(error.message)
        error.args = (error.message,)

    def _clean(self, text: str) -> str:
        for secret in self._auth.secrets():
            if secret:
                text = text.replace(secret, "***")
        return text


def _decoded(body: bytes) -> tuple[bytes, dict[str, msgspec.Raw]]:
    """The body and its envelope.

    Half of a surrogate pair, which some vendors escape when they cut a text inside an emoji, is no
    character in any encoding: it alone becomes U+FFFD, so that its page is not lost.
    """
    try:
        return body, _ENVELOPE.decode(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        mended = _SURROGATES.sub(lambda found: found[1] or rb"\ufffd", body)
        if mended == body:
            raise
        return mended, _ENVELOPE.decode(mended)


def _one_line(json: bytes | msgspec.Raw, body: bytes) -> bytes | msgspec.Raw:
    """A part of `body` without CR and LF."""
    return bytes(json).translate(None, b"\r\n") if b"\n" in body or b"\r" in body else json
